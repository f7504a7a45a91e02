//! Bulk jobs of Salesforce that come to nothing, or give something else than they say.

use super::*;

fn in_bulk(base: &str, from: &str) -> Result<Box<dyn Connector>, ConnectError> {
    let mut settings = settings("salesforce", base, Auth::Bearer("S3CRET".into()));
    settings.options.insert("bulk_from".into(), from.into());
    reach(settings, None)
}

const JOB: &str = r#"{"id":"750000000000001AAA","state":"UploadComplete","createdDate":"2026-02-01T00:00:00.000+0000"}"#;

fn csv(head: &str, body: &str) -> Reply {
    Reply {
        kind: "text/csv",
        head: head.into(),
        ..json(200, body)
    }
}

/// An organisation that says it has nine accounts and answers about jobs as given; page by page it has two.
async fn jobs(job: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (String, Log) {
    org(move |a| {
        if a.path.contains("/jobs/query") {
            job(a)
        } else {
            json(200, page(&[row(1), row(2)], None))
        }
    })
    .await
}

async fn whole(c: &dyn Connector) -> Vec<String> {
    let (mut out, mut cursor) = (Vec::new(), None);
    for _ in 0..20 {
        let page = c.fetch("accounts", cursor.as_ref()).await.unwrap();
        assert!(page.problems.is_empty(), "{:?}", page.problems);
        out.extend(page.records.into_iter().map(|r| r.external_id));
        cursor = Some(page.next);
        if page.done {
            return out;
        }
    }
    panic!("the load never ends");
}

const ROWS: [&str; 2] = ["001000000000001AAA", "001000000000002AAA"];

fn asked(log: &Log, part: &str) -> usize {
    log.lock()
        .unwrap()
        .iter()
        .filter(|a| a.path.contains(part))
        .count()
}

#[tokio::test]
async fn an_organisation_without_bulk_is_read_by_rest() {
    for refusal in [
        json(
            403,
            r#"[{"errorCode":"INSUFFICIENT_ACCESS","message":"no"}]"#,
        ),
        json(
            400,
            r#"[{"errorCode":"INVALIDENTITY","message":"not supported by the Bulk API"}]"#,
        ),
        json(
            404,
            r#"[{"errorCode":"NOT_FOUND","message":"no such resource"}]"#,
        ),
        json(200, r#"{"state":"UploadComplete"}"#),
    ] {
        let (base, log) = jobs(move |_| refusal.clone()).await;
        assert_eq!(whole(in_bulk(&base, "5").unwrap().as_ref()).await, ROWS);
        assert_eq!(asked(&log, "/jobs/query"), 1);
        assert_eq!(
            asked(&log, "/query?q="),
            1,
            "the page that was there is used"
        );
    }
}

#[tokio::test]
async fn a_failed_job_is_left_to_rest_and_not_tried_again() {
    let (base, log) = jobs(|a| match a.method.as_str() {
        "POST" => json(200, JOB),
        _ => json(
            200,
            r#"{"state":"Failed","errorMessage":"InvalidBatch : out of luck"}"#,
        ),
    })
    .await;
    assert_eq!(whole(in_bulk(&base, "5").unwrap().as_ref()).await, ROWS);
    assert_eq!(asked(&log, "/jobs/query"), 2);
    let create = log
        .lock()
        .unwrap()
        .iter()
        .find(|a| a.method == "POST")
        .cloned()
        .unwrap();
    let body: serde_json::Value = serde_json::from_str(&create.body).unwrap();
    assert_eq!(body["operation"], "query");
    let soql = body["query"].as_str().unwrap();
    assert!(
        soql.starts_with("SELECT Id, ") && soql.ends_with(" FROM Account"),
        "{soql}"
    );
}

#[tokio::test]
async fn a_vendor_that_is_busy_keeps_the_job_waiting() {
    let (base, _) = jobs(|a| match a.method.as_str() {
        "POST" => json(200, JOB),
        _ => json(
            403,
            r#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"enough"}]"#,
        ),
    })
    .await;
    let c = in_bulk(&base, "5").unwrap();
    let first = c.fetch("accounts", None).await.unwrap();
    let e = c.fetch("accounts", Some(&first.next)).await.unwrap_err();
    assert!(matches!(e.kind, ErrorKind::Retry { .. }), "{e:?}");
}

#[tokio::test]
async fn a_job_that_the_vendor_forgot_starts_the_stream_again() {
    let (base, _) = jobs(|a| match a.method.as_str() {
        "POST" => json(200, JOB),
        _ => json(404, r#"[{"errorCode":"NOT_FOUND","message":"gone"}]"#),
    })
    .await;
    let c = in_bulk(&base, "5").unwrap();
    let first = c.fetch("accounts", None).await.unwrap();
    let e = c.fetch("accounts", Some(&first.next)).await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::CursorLost);
}

#[tokio::test]
async fn results_that_lack_rows_or_go_in_a_circle_are_not_taken() {
    let body = "\"Id\",\"Name\"\n\"001000000000009AAA\",\"A\"\n";
    for (head, words) in [
        (
            "sforce-numberofrecords: 2\r\nsforce-locator: null\r\n",
            "ends in the middle",
        ),
        (
            "sforce-numberofrecords: 1\r\nsforce-locator: MQ\r\n",
            "leads to itself",
        ),
    ] {
        let (base, log) = jobs(move |a| match a.method.as_str() {
            "POST" => json(200, JOB),
            _ if a.path.contains("/results") => csv(head, body),
            _ => json(200, r#"{"state":"JobComplete","numberRecordsProcessed":2}"#),
        })
        .await;
        let c = in_bulk(&base, "5").unwrap();
        let mut cursor = c.fetch("accounts", None).await.unwrap().next;
        let e = loop {
            match c.fetch("accounts", Some(&cursor)).await {
                Ok(page) => cursor = page.next,
                Err(e) => break e,
            }
        };
        assert_eq!(e.kind, ErrorKind::Protocol);
        assert!(e.message.contains(words), "{}", e.message);
        let results = log
            .lock()
            .unwrap()
            .iter()
            .find(|a| a.path.contains("/results"))
            .cloned()
            .unwrap();
        let accept: Vec<_> = results
            .head
            .lines()
            .filter(|l| l.to_ascii_lowercase().starts_with("accept:"))
            .collect();
        assert_eq!(accept, ["accept: text/csv"]);
    }
}

#[tokio::test]
async fn what_is_few_or_never_to_be_bulk_is_read_by_rest() {
    for from in ["10", "0"] {
        let (base, log) = jobs(|_| json(500, "")).await;
        assert_eq!(whole(in_bulk(&base, from).unwrap().as_ref()).await, ROWS);
        assert_eq!(asked(&log, "/jobs/query"), 0);
    }
    let e = in_bulk("http://127.0.0.1:1", "many").err().unwrap();
    assert!(
        e.message
            .contains("`bulk_from = \"many\"` is not a whole number"),
        "{}",
        e.message
    );
}

#[tokio::test]
async fn a_load_that_is_too_large_to_be_begun_by_rest_is_read_by_a_job() {
    let (base, _) = org(|a| {
        if a.path.contains("/results") {
            csv("sforce-locator: null\r\n", "\"Id\",\"Name\",\"SystemModstamp\",\"IsDeleted\"\n\"001000000000009AAA\",\"A\",\"2026-01-01T00:00:00.000Z\",\"false\"\n")
        } else if a.path.contains("/jobs/query") && a.method == "POST" {
            json(200, JOB)
        } else if a.path.contains("/jobs/query") {
            json(200, r#"{"state":"JobComplete"}"#)
        } else if a.path.contains("/queryAll") {
            // What moved since ten minutes before the job.
            assert!(a.path.contains("SystemModstamp%20%3E%3D%202026-01-31T23%3A50%3A00"), "{}", a.path);
            json(200, page(&[], None))
        } else {
            json(400, r#"[{"errorCode":"QUERY_TIMEOUT","message":"too long"}]"#)
        }
    })
    .await;
    assert_eq!(
        whole(in_bulk(&base, "5").unwrap().as_ref()).await,
        ["001000000000009AAA"]
    );
}
