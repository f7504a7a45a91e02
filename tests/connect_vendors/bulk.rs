//! Large first loads of Salesforce by bulk jobs: the same records as page by page, whatever happens on the way.

use super::*;

/// A source whose mapping reaches into related rows as well.
fn source(sim: &Simulation, options: &[(&str, &str)]) -> Box<dyn Connector> {
    let mut settings = settings(sim, "salesforce");
    for (field, theirs) in [
        ("account.x.owner", "Owner.Name"),
        ("account.x.owner_active", "Owner.IsActive"),
        ("contact.x.arr", "Account.ARR__c"),
    ] {
        settings.fields.insert(field.into(), theirs.into());
    }
    for (name, value) in options {
        settings.options.insert((*name).into(), (*value).into());
    }
    reach(settings, None).expect("the source opens")
}

/// A source that reads everything large by bulk jobs, in small pages.
fn in_bulk(sim: &Simulation) -> Box<dyn Connector> {
    source(sim, &[("bulk_from", "10"), ("bulk_rows", "50")])
}

fn by_rest(sim: &Simulation) -> Box<dyn Connector> {
    source(sim, &[("bulk_from", "0")])
}

/// Records by kind and id; the last one of each counts.
fn by_id(records: Vec<Record>) -> BTreeMap<(String, String), Record> {
    records
        .into_iter()
        .map(|r| ((r.entity.name().to_owned(), r.external_id.clone()), r))
        .collect()
}

/// The same records with the same fields and values, said field by field.
fn same(stream: &str, bulk: Vec<Record>, rest: Vec<Record>) {
    let (bulk, rest) = (by_id(bulk), by_id(rest));
    let names = |m: &BTreeMap<(String, String), Record>| m.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&bulk), names(&rest), "{stream}: other records");
    for (key, want) in &rest {
        let got = &bulk[key];
        assert_eq!(got.modified, want.modified, "{stream} {key:?}");
        for (name, value) in &want.fields {
            assert_eq!(got.get(name), Some(value), "{stream} {key:?}: {name}");
        }
        assert_eq!(got, want, "{stream} {key:?}");
    }
}

/// The vendor's own list of jobs, and a client that may change them.
async fn jobs(sim: &Simulation) -> (reqwest::Client, String, String, Vec<serde_json::Value>) {
    let v = sim
        .vendors
        .iter()
        .find(|v| v.connector == "salesforce")
        .unwrap();
    let AuthDetails::ClientCredentials {
        client_id,
        client_secret,
        token_url,
    } = v.auth.clone()
    else {
        panic!("Salesforce logs in by client credentials");
    };
    let client = reqwest::Client::builder()
        .tls_certs_only(Vec::new())
        .no_proxy()
        .build()
        .unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id.as_str()),
        ("client_secret", client_secret.as_str()),
    ];
    let login = client.post(token_url).form(&form).send().await.unwrap();
    let login: serde_json::Value = login.json().await.unwrap();
    let token = login["access_token"].as_str().unwrap().to_owned();
    let url = format!("{}/services/data/v62.0/jobs/query", v.base_url);
    let list = client.get(&url).bearer_auth(&token).send().await.unwrap();
    let list: serde_json::Value = list.json().await.unwrap();
    let list = list["records"].as_array().unwrap().clone();
    (client, url, token, list)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_first_load_by_bulk_gives_what_rest_gives_and_goes_on_by_one_request() {
    let sim = vendors(240).await;
    let (rest, bulk) = (by_rest(&sim), in_bulk(&sim));
    for s in rest.streams() {
        let by_rest = pull(rest.as_ref(), s.name, None).await;
        let by_bulk = pull(bulk.as_ref(), s.name, None).await;
        assert!(
            by_bulk.problems.is_empty(),
            "{}: {:?}",
            s.name,
            by_bulk.problems
        );
        let filled = filled(&by_rest.records);
        let reached: &[&str] = match s.name {
            "accounts" => &["x.owner", "x.owner_active"],
            "contacts" => &["x.arr"],
            _ => &[],
        };
        for field in reached {
            assert!(
                filled.get(*field).is_some_and(|n| *n > 0),
                "{field}: {filled:?}"
            );
        }
        same(s.name, by_bulk.records, by_rest.records);
        let again = pull(bulk.as_ref(), s.name, Some(by_bulk.cursor)).await;
        assert!(
            again.requests <= 1,
            "{} asks {} times when nothing changed",
            s.name,
            again.requests
        );
    }
    let (_, _, _, jobs) = jobs(&sim).await;
    let objects: std::collections::BTreeSet<_> =
        jobs.iter().filter_map(|j| j["object"].as_str()).collect();
    for large in ["Account", "Contact", "Opportunity", "Task", "Case"] {
        assert!(
            objects.contains(large),
            "{large} was not read by a job: {objects:?}"
        );
    }
    assert!(
        !objects.contains("User") && !objects.contains("CurrencyType"),
        "{objects:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_load_that_is_ended_anywhere_goes_on_where_it_was() {
    let sim = vendors(240).await;
    let want = pull(by_rest(&sim).as_ref(), "tasks", None).await;
    let mut got = Vec::new();
    let mut cursor: Option<Cursor> = None;
    let mut pages = 0;
    loop {
        // A new process for every page: nothing but the cursor is left of the one before.
        let page = in_bulk(&sim).fetch("tasks", cursor.as_ref()).await.unwrap();
        assert!(
            page.done || cursor.as_ref() != Some(&page.next),
            "a bookmark that does not move counts as a circle"
        );
        pages += usize::from(!page.records.is_empty());
        got.extend(page.records);
        cursor = Some(page.next);
        if page.done {
            break;
        }
    }
    assert!(pages > 3, "the results came in {pages} pages only");
    same("tasks", got, want.records);
    let (_, _, _, jobs) = jobs(&sim).await;
    assert_eq!(jobs.len(), 1, "the job was asked for once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_while_a_job_runs_comes_in_the_same_run() {
    let sim = vendors(120).await;
    let c = in_bulk(&sim);
    let mut cursor = Some(c.fetch("renewals", None).await.unwrap().next);
    let mut seen: Vec<Record> = Vec::new();
    let mut changed = None;
    loop {
        let page = c.fetch("renewals", cursor.as_ref()).await.unwrap();
        seen.extend(page.records);
        // As soon as the job has been evaluated, a row changes at the vendor.
        if changed.is_none()
            && let Some(r) = seen.iter().find(|r| !r.deleted)
        {
            let step = write(
                Verb::Update,
                r.entity,
                Some(&r.external_id),
                "",
                &[("next_step", got(r, "next_step"), text("call them"))],
            );
            changed = Some(r.external_id.clone());
            done(c.as_ref(), &step).await;
        }
        cursor = Some(page.next);
        if page.done {
            break;
        }
    }
    let changed = changed.expect("there is a renewal");
    let last = seen.iter().rfind(|r| r.external_id == changed).unwrap();
    assert_eq!(got(last, "next_step"), text("call them"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_aborted_at_the_vendor_is_left_to_rest() {
    let sim = vendors(120).await;
    let want = pull(by_rest(&sim).as_ref(), "accounts", None).await;
    let c = in_bulk(&sim);
    let first = c.fetch("accounts", None).await.unwrap();
    assert!(first.records.is_empty() && !first.done);
    let (client, url, token, list) = jobs(&sim).await;
    let id = list[0]["id"].as_str().unwrap();
    let answer = client
        .patch(format!("{url}/{id}"))
        .bearer_auth(token)
        .json(&serde_json::json!({ "state": "Aborted" }))
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success());
    let all = pull(c.as_ref(), "accounts", Some(first.next)).await;
    same("accounts", all.records, want.records);
    let (_, _, _, list) = jobs(&sim).await;
    assert_eq!(list.len(), 1, "it is not tried again and again");
}
