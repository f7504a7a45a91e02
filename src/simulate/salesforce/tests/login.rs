//! Tokens, and the limit of a day.

use super::*;

/// A new pair of RSA keys in PEM: private, public.
fn key_pair() -> (String, String) {
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap_or_else(|error| panic!("{error}"));
    (pair.serialize_pem(), pair.public_key_pem())
}

#[test]
fn tokens_are_earned_and_expire() {
    let client = Client::new();
    assert_eq!(
        client
            .form(&[
                ("grant_type", "client_credentials"),
                ("client_id", CLIENT_ID),
                ("client_secret", "wrong")
            ])
            .status,
        400
    );
    assert_eq!(
        body(&client.form(&[
            ("grant_type", "password"),
            ("username", "dana@example.com"),
            ("password", "x")
        ]))["error"],
        "invalid_grant"
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let sign = |key: &str, sub: &str, aud: &str, exp: u64| {
        let key = jsonwebtoken::EncodingKey::from_rsa_pem(key.as_bytes())
            .unwrap_or_else(|error| panic!("{error}"));
        let claims = json!({ "iss": CLIENT_ID, "sub": sub, "aud": aud, "exp": exp });
        jsonwebtoken::encode(
            &jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256),
            &claims,
            &key,
        )
        .unwrap_or_default()
    };
    let ask = |assertion: &str| {
        body(&client.form(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion),
        ]))
    };
    let login = "https://login.salesforce.com";
    let ((private, public), (stranger, _)) = (key_pair(), key_pair());
    assert_eq!(
        ask(&sign(&private, "dana@example.com", login, now + 100))["error"],
        "invalid_grant",
        "no key is registered yet"
    );
    let mut register = Request::new("PUT", "/__sim/salesforce/jwt-key");
    register.body = public.into();
    assert_eq!(client.org.answer(&register).status, 204);
    assert!(ask(&sign(&private, "dana@example.com", login, now + 100))["access_token"].is_string());
    for bad in [
        sign(&stranger, "dana@example.com", login, now + 100),
        sign(&private, "nobody@example.com", login, now + 100),
        sign(
            &private,
            "dana@example.com",
            "https://example.com",
            now + 100,
        ),
        sign(&private, "dana@example.com", login, now - 1000),
        sign(&private, "dana@example.com", login, now + 86_400),
        "a.b.c".to_string(),
    ] {
        assert_eq!(ask(&bad)["error"], "invalid_grant");
    }
    // The web server flow with PKCE gives a refresh token, which rotates when told so.
    let reply = client.org.answer(&Request::new("GET", &format!(
        "/services/oauth2/authorize?response_type=code&client_id={CLIENT_ID}&redirect_uri=http%3A%2F%2Flocalhost%2Fcb&state=s&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")));
    let location = reply
        .headers
        .iter()
        .find(|(name, _)| name == "Location")
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    let code_text = location
        .split("code=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .unwrap_or_default()
        .to_string();
    let exchange = |verifier: &str| {
        body(&client.form(&[
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("code", &code_text),
            ("redirect_uri", "http://localhost/cb"),
            ("code_verifier", verifier),
        ]))
    };
    let granted = exchange("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let refresh = granted["refresh_token"]
        .as_str()
        .unwrap_or_default()
        .to_string();
    assert!(!refresh.is_empty(), "{granted}");
    assert_eq!(
        exchange("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")["error"],
        "invalid_grant"
    );
    let mut settings = Request::new("PUT", "/__sim/salesforce/settings");
    settings.body = json!({ "rotate_refresh_tokens": true }).to_string().into();
    client.org.answer(&settings);
    let renew = |token: &str| {
        body(&client.form(&[
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("refresh_token", token),
        ]))
    };
    let renewed = renew(&refresh);
    assert!(renewed["refresh_token"].is_string() && renewed["access_token"].is_string());
    assert_eq!(renew(&refresh)["error"], "invalid_grant");
    client.org.expire_tokens();
    let reply = client.get("/limits");
    assert_eq!(
        (reply.status, code(&reply).as_str()),
        (401, "INVALID_SESSION_ID")
    );
}

#[test]
fn the_daily_limit_is_kept() {
    let client = Client::new();
    let reply = client.get("/limits");
    assert!(
        reply
            .headers
            .contains(&("Sforce-Limit-Info".into(), "api-usage=1/100000".into())),
        "{:?}",
        reply.headers
    );
    let mut settings = Request::new("PUT", "/__sim/salesforce/settings");
    settings.body = json!({ "daily_limit": 2 }).to_string().into();
    client.org.answer(&settings);
    assert_eq!(client.get("/limits").status, 200);
    let reply = client.get("/limits");
    assert_eq!(
        (reply.status, code(&reply).as_str()),
        (403, "REQUEST_LIMIT_EXCEEDED")
    );
    assert_eq!(
        client
            .org
            .answer(&Request::new("GET", "/services/data/"))
            .status,
        200
    );
    assert_eq!(
        client
            .send("GET", "/services/data/v12.0/limits", &[], &Json::Null)
            .status,
        403
    );
}
