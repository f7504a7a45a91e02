//! The kinds of logging in, and what a connector adds to them: where its vendor gives out tokens, and what a two-step login looks like.

use secrecy::SecretString;
use std::time::Duration;

/// How a source logs in. Secrets are already resolved.
#[derive(Clone)]
pub enum Auth {
    /// OAuth 2.0 client credentials.
    ClientCredentials {
        /// Client id.
        client_id: String,
        /// Client secret.
        client_secret: SecretString,
        /// Token address, when it is not the vendor's usual one.
        token_url: Option<String>,
        /// Scopes to ask for; none: the connector's own.
        scopes: Vec<String>,
    },
    /// OAuth 2.0 refresh token.
    Refresh {
        /// Client id.
        client_id: String,
        /// Client secret, if the client has one.
        client_secret: Option<SecretString>,
        /// The refresh token.
        refresh_token: SecretString,
        /// Token address.
        token_url: Option<String>,
        /// Where a refresh token is taken back.
        revoke_url: Option<String>,
    },
    /// OAuth 2.0 authorization code with PKCE; the tokens come from `csops auth login`.
    AuthorizationCode {
        /// Client id.
        client_id: String,
        /// Client secret, if the client has one.
        client_secret: Option<SecretString>,
        /// Where a person logs in.
        authorize_url: Option<String>,
        /// Token address.
        token_url: Option<String>,
        /// Where a refresh token is taken back.
        revoke_url: Option<String>,
        /// Scopes to ask for; none: the connector's own.
        scopes: Vec<String>,
        /// The port of the loopback address that the browser comes back to; none: any free one.
        redirect_port: Option<u16>,
    },
    /// JWT bearer, RS256.
    JwtBearer {
        /// Client id (issuer).
        client_id: String,
        /// User name (subject).
        username: String,
        /// Private key, PEM.
        private_key: SecretString,
        /// Audience.
        audience: Option<String>,
        /// Token address.
        token_url: Option<String>,
    },
    /// A fixed bearer token.
    Bearer(SecretString),
    /// A header with a key.
    Header {
        /// Header name.
        name: String,
        /// Its value.
        value: SecretString,
    },
    /// A key in the query of every address.
    Query {
        /// Parameter name.
        name: String,
        /// Its value.
        value: SecretString,
    },
    /// HTTP Basic. The user may be the secret, with an empty password.
    Basic {
        /// User.
        user: SecretString,
        /// Password; may be empty.
        password: SecretString,
        /// Only the user is encoded, without a colon behind it.
        raw: bool,
    },
    /// Two steps: a request with user and password (or only a token, as the password) gives a session. The connector's [`LoginPlan`] says how.
    Login {
        /// User; may be empty.
        user: SecretString,
        /// Password or token.
        password: SecretString,
    },
    /// Nothing.
    None,
}

impl Auth {
    /// Its name, as the configuration has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Auth::ClientCredentials { .. } => "client_credentials",
            Auth::Refresh { .. } => "refresh",
            Auth::AuthorizationCode { .. } => "authorization_code",
            Auth::JwtBearer { .. } => "jwt_bearer",
            Auth::Bearer(_) => "bearer",
            Auth::Header { .. } => "header",
            Auth::Query { .. } => "query",
            Auth::Basic { .. } => "basic",
            Auth::Login { .. } => "login",
            Auth::None => "none",
        }
    }
}

/// What a connector knows about logging in to its vendor. The default is a vendor that gives out no tokens of its own.
#[derive(Clone, Debug)]
pub struct AuthPlan {
    /// The vendor's own address, where all tenants share one; paths of the plan lie under it when the source names no `base_url`.
    pub base: Option<String>,
    /// Where tokens are given out and taken back.
    pub oauth: OauthDefaults,
    /// The two-step login, where there is one.
    pub login: Option<LoginPlan>,
    /// Whether HTTP 401 means that the token has run out, so that it is renewed once. Where it does not, only the lifetime counts that the
    /// vendor gave with the token.
    pub renew_on_401: bool,
}

impl Default for AuthPlan {
    fn default() -> Self {
        AuthPlan {
            base: None,
            oauth: OauthDefaults::default(),
            login: None,
            renew_on_401: true,
        }
    }
}

/// A vendor's OAuth addresses and habits; the configuration's own `token_url`, `authorize_url` and `scopes` win. An address may be a path
/// (`/oauth/token`): it lies under the base address then.
#[derive(Clone, Debug, Default)]
pub struct OauthDefaults {
    /// Where tokens are given out.
    pub token_url: Option<String>,
    /// Where a person logs in.
    pub authorize_url: Option<String>,
    /// Where a refresh token is taken back (RFC 7009).
    pub revoke_url: Option<String>,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// How client id and secret are sent.
    pub send: SendClient,
    /// The audience of a JWT login; without one, the token address.
    pub audience: Option<String>,
    /// More parameters of the authorize address (`access_type=offline`).
    pub authorize_params: Vec<(String, String)>,
    /// Further values of the token's answer to keep: a name and a path (`account.id`).
    pub keep: Vec<(String, String)>,
}

/// How client id and secret are sent to the token address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SendClient {
    /// In the form.
    #[default]
    Body,
    /// By HTTP Basic.
    Basic,
}

/// A two-step login: one request gives a token that later requests carry in a header.
#[derive(Clone, Debug)]
pub struct LoginPlan {
    /// Its method, usually POST.
    pub method: reqwest::Method,
    /// Its path under the base address, or a whole address of the same host.
    pub path: String,
    /// What is sent. A text that is exactly `{user}` or `{password}` is replaced; nothing else is.
    pub body: LoginBody,
    /// Path of the token in the answer (`credentials.token`).
    pub token: String,
    /// How long a token lasts.
    pub ttl: Option<Duration>,
    /// Path of the seconds that it lasts, where the answer says so (`expires_in`); wins over `ttl`.
    pub expires_in: Option<String>,
    /// The header that carries it.
    pub header: String,
    /// The header's value around `{token}`: `Bearer {token}`.
    pub value: String,
    /// Further values of the answer to keep: a name and a path.
    pub keep: Vec<(String, String)>,
}

/// The body of a login.
#[derive(Clone, Debug)]
pub enum LoginBody {
    /// JSON.
    Json(serde_json::Value),
    /// A form.
    Form(Vec<(String, String)>),
}
