//! How a connector logs in at a simulated vendor.

use csops::connect::Auth;
use csops::simulate::AuthDetails;

/// The login that a vendor names.
pub fn login(details: AuthDetails) -> Auth {
    match details {
        AuthDetails::ClientCredentials {
            client_id,
            client_secret,
            token_url,
        } => Auth::ClientCredentials {
            client_id,
            client_secret: client_secret.into(),
            token_url: Some(token_url),
            scopes: Vec::new(),
        },
        AuthDetails::Header { name, value } => Auth::Header {
            name,
            value: value.into(),
        },
        AuthDetails::Bearer { token } => Auth::Bearer(token.into()),
        AuthDetails::Basic { user, password } => Auth::Basic {
            user: user.into(),
            password: password.into(),
            raw: false,
        },
    }
}
