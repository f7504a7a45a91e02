//! Gainsight by script.

use super::*;

fn gainsight(base: &str) -> Box<dyn Connector> {
    let auth = Auth::Header {
        name: "accesskey".into(),
        value: "S3CRET".into(),
    };
    open("gainsight", base, auth)
}

#[tokio::test]
async fn gainsights_envelope_is_opened_whatever_its_form() {
    // The code stands so in Gainsight's documents, with its three letters.
    let none = r#"{"result":false,"errorCode":"GSOBJ_1XXX","errorDesc":"No data found for given criteria","data":null}"#;
    let list = r#"{"result":true,"data":[{"Gsid":"1P01","Name":"Ada","Email":"ADA@Example.com"}]}"#;
    let inside = r#"{"result":true,"data":{"records":[{"Gsid":"1P01","Name":"Ada","Email":"ada@example.com"}]}}"#;
    for (status, body, rows) in [
        (400, none, 0),
        (200, none, 0),
        (200, list, 1),
        (200, inside, 1),
    ] {
        let (base, _) = vendor(move |a| {
            if a.path.contains("/query/") {
                json(status, body)
            } else {
                json(404, r#"{"result":false,"title":"OBJECT_NOT_FOUND"}"#)
            }
        })
        .await;
        let c = gainsight(&base);
        let page = c.fetch("people", None).await.unwrap();
        assert_eq!(page.records.len(), rows, "{body}");
        if let Some(r) = page.records.first() {
            assert_eq!(r.get("email"), Some(&FieldValue::text("ada@example.com")));
        }
    }
    let refused = r#"{"result":false,"errorCode":"GS_APIG_2401","errorDesc":"Unauthorized","message":"Unauthorized"}"#;
    for status in [200, 401] {
        let (base, _) = vendor(move |_| json(status, refused)).await;
        let c = gainsight(&base);
        let e = c.fetch("people", None).await.expect_err("a reset key");
        assert_eq!(e.kind, ErrorKind::Auth, "{}", e.message);
        assert!(!e.message.contains("S3CRET"));
    }
    // An unknown field is named in words; it is dropped, and the rest is read.
    let (base, _) = vendor(|a| {
        if a.body.contains("IsActiveUser") {
            json(400, r#"{"result":false,"errorCode":"GSOBJ_1023","errorDesc":"Invalid field path IsActiveUser in object GsUser","data":null}"#)
        } else {
            json(200, r#"{"result":true,"data":[{"Gsid":"1P01","Name":"Ada"}]}"#)
        }
    })
    .await;
    let c = open("gainsight", &base, Auth::None);
    let page = c.fetch("people", None).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert!(
        page.problems
            .iter()
            .any(|p| p.reason.contains("IsActiveUser")),
        "{:?}",
        page.problems
    );
}

/// A first load that is interrupted after its accounts reads as much history when it goes on as it would have: nobody but the vendor then
/// knows how many accounts there are.
#[tokio::test]
async fn gainsight_is_asked_how_many_accounts_there_are_when_another_process_read_them() {
    for (companies, weeks, asked) in [(100, 52, 2), (5_000, 26, 2), (50_000, 13, 1)] {
        let (base, log) = vendor(move |a| {
            let body: serde_json::Value = serde_json::from_str(&a.body).unwrap_or_default();
            let offset = body["offset"].as_u64().unwrap_or(0);
            match a.path.rsplit('/').next().unwrap_or_default() {
                "describe" if a.body.contains("Usage__gc") => json(
                    200,
                    r#"{"result":true,"data":[{"fields":[{"fieldName":"Gsid"},{"fieldName":"Company__gc"},
                        {"fieldName":"Week__gc","dataType":"DATE"},{"fieldName":"Active_Users__gc","dataType":"NUMBER"}]}]}"#,
                ),
                "Company" if offset < companies => {
                    json(200, r#"{"result":true,"data":[{"Gsid":"1P01"}]}"#)
                }
                "Company" | "Usage__gc" => json(200, r#"{"result":true,"data":[]}"#),
                _ => json(404, r#"{"result":false,"title":"OBJECT_NOT_FOUND"}"#),
            }
        })
        .await;
        let mut settings = settings("gainsight", &base, Auth::None);
        let object = ("usage_object".to_owned(), "Usage__gc".to_owned());
        settings.options.extend([object]);
        let c = reach(settings.clone(), None).unwrap();
        let page = c.fetch("usage", None).await.unwrap();
        let of = |object: &str| -> Vec<Asked> {
            let all = log.lock().unwrap();
            let path = format!("/query/{object}");
            all.iter()
                .filter(|a| a.path.ends_with(&path))
                .cloned()
                .collect()
        };
        assert_eq!(of("Company").len(), asked);
        let began = |ask: &Asked| {
            let body: serde_json::Value = serde_json::from_str(&ask.body).unwrap();
            let from = body["where"]["conditions"][0]["value"][0].as_str().unwrap();
            let from: jiff::civil::DateTime = from.parse().unwrap();
            let days = Timestamp::now().as_second()
                - from
                    .to_zoned(TimeZone::UTC)
                    .unwrap()
                    .timestamp()
                    .as_second();
            (days as f64 / (7.0 * 86_400.0)).round()
        };
        assert_eq!(began(&of("Usage__gc")[0]), f64::from(weeks));
        // What was decided goes on with the stream.
        let c = reach(settings, None).unwrap();
        c.fetch("usage", Some(&page.next)).await.unwrap();
        assert_eq!(of("Company").len(), asked);
        assert_eq!(began(&of("Usage__gc")[1]), f64::from(weeks));
    }
}
