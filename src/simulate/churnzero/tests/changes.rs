//! What changes the tenant: pushes, the world, a second start.

use super::*;

#[tokio::test]
async fn what_is_pushed_shows_in_the_sets() {
    let site = site(|_| {}).await;
    let key = site.app_key();
    let set = |name: &str, value: Value| json!({ "appKey": key, "action": "setAttribute", "entity": "account", "accountExternalId": "cust-000000", "name": name, "value": value });
    let before = site.account("cust-000000").await;
    let (status, answer) = site
        .push(json!([
            set("OwnerUserAccount", json!("dana@example.com")),
            set("NextRenewalDate", json!("2027-03-01")),
            set("TotalContractAmount", json!("1234.50")),
            set("LicenseCount", json!("many")),
            set("NoSuchField", json!("x")),
            set("Sentiment", json!("Positive")),
            { "appKey": key, "action": "trackEvent", "accountExternalId": "cust-000000", "contactExternalId": "person-0000000", "eventName": "Cockpit Note", "description": "They are happy 🎉", "eventDate": "2026-11-22T08:00:00Z" }
        ]))
        .await;
    assert_eq!((status, &answer), (200, &json!({ "status": "success" })));
    let after = site.account("cust-000000").await;
    assert_eq!(after["OwnerUserAccountId"], id(USER_ACCOUNT, 2));
    assert_eq!(
        (&after["NextRenewalDate"], &after["TotalContractAmount"]),
        (&json!("2027-03-01T00:00:00.000Z"), &json!(1234.5))
    );
    assert_eq!(
        (&after["LicenseCount"], &after["Cf"]["Sentiment"]),
        (&before["LicenseCount"], &json!("Positive"))
    );
    assert!(after["ObjectModifiedDate"].as_str() > before["ObjectModifiedDate"].as_str());
    let changed = site
        .filtered("Account", "ObjectModifiedDate ge 2026-11-22T09:00:00Z")
        .await;
    assert_eq!(changed.len(), 1);
    let notes = site
        .filtered(
            "Event",
            "EventTypeName eq 'Cockpit Note' and AccountId eq 1001",
        )
        .await;
    assert_eq!(
        (
            notes.len(),
            &notes[0]["Description"],
            &notes[0]["ContactExternalId"]
        ),
        (1, &json!("They are happy 🎉"), &json!("person-0000000"))
    );
    assert!(
        site.filtered("EventType", "Name eq 'Cockpit Note'")
            .await
            .len()
            == 1
    );
    // Twice the same is one event, unless two were asked for.
    let once = json!([{ "appKey": key, "action": "trackEvent", "accountExternalId": "cust-000000", "contactExternalId": "person-0000000", "eventName": "Cockpit Note", "description": "They are happy 🎉", "eventDate": "2026-11-22T08:00:00Z" }]);
    assert_eq!(site.push(once.clone()).await.0, 200);
    assert_eq!(
        site.filtered(
            "Event",
            "EventTypeName eq 'Cockpit Note' and AccountId eq 1001"
        )
        .await
        .len(),
        1
    );
    let mut again = once;
    again[0]["allowDupes"] = json!(true);
    assert_eq!(site.push(again).await.0, 200);
    assert_eq!(
        site.filtered(
            "Event",
            "EventTypeName eq 'Cockpit Note' and AccountId eq 1001"
        )
        .await
        .len(),
        2
    );
    // By GET, several attributes at once, on an account that was not there.
    let url = format!("{}/i", site.simulation.vendors[0].base_url);
    let query = [
        ("appKey", key.as_str()),
        ("action", "setAttribute"),
        ("entity", "account"),
        ("accountExternalId", "new-1"),
        ("attr_Name", "New & Co"),
        ("attr_LicenseCount", "7"),
    ];
    assert_eq!(
        site.client
            .get(&url)
            .query(&query)
            .send()
            .await
            .map(|answer| answer.status().as_u16())
            .ok(),
        Some(200)
    );
    let new = site.account("new-1").await;
    assert_eq!(
        (&new["Name"], &new["LicenseCount"]),
        (&json!("New & Co"), &json!(7))
    );
    // By a form; and a number that is added.
    let form = [
        ("appKey", key.as_str()),
        ("action", "incrementAttribute"),
        ("entity", "account"),
        ("accountExternalId", "new-1"),
        ("name", "LicenseCount"),
        ("value", "3"),
    ];
    assert_eq!(
        site.client
            .post(&url)
            .form(&form)
            .send()
            .await
            .map(|answer| answer.status().as_u16())
            .ok(),
        Some(200)
    );
    assert_eq!(site.account("new-1").await["LicenseCount"], 10);
    let gone = json!([{ "appKey": key, "action": "deleteAccount", "accountExternalId": "new-1" }]);
    assert_eq!(site.push(gone).await.0, 200);
    assert_eq!(
        site.refused("/Account(AccountExternalId='new-1')", &[])
            .await,
        404
    );
    // What is not taken, is not taken at all.
    let future = json!({ "appKey": key, "action": "trackEvent", "accountExternalId": "cust-000000", "eventName": "Later", "eventDate": "2026-12-24" });
    for (body, wanted) in [
        (json!([set("Name", json!("Lost")), future]), 422),
        (
            json!([{ "appKey": "wrong", "action": "setAttribute" }]),
            401,
        ),
        (
            json!([{ "appKey": site.key, "action": "setAttribute" }]),
            401,
        ),
        (
            json!([{ "appKey": key, "action": "closeTask", "accountExternalId": "cust-000000" }]),
            422,
        ),
        (
            json!([{ "appKey": key, "action": "setAttribute", "entity": "account" }]),
            422,
        ),
        (json!([7]), 422),
    ] {
        assert_eq!(
            site.push(body.clone()).await,
            (wanted, json!({ "status": "error" })),
            "{body}"
        );
    }
    assert_eq!(site.account("cust-000000").await["Name"], before["Name"]);
}

#[tokio::test]
async fn live_changes_show_in_their_places() {
    let site = site(|_| {}).await;
    let world = site.simulation.world.clone();
    let task = world
        .tasks
        .iter()
        .position(|t| t.completed.is_none() && world.accounts[t.account as usize].in_gainsight);
    let task = task.unwrap_or_else(|| panic!("no open task")) as u32;
    let renewal = world
        .renewals
        .iter()
        .position(|r| !r.stage.closed() && world.accounts[r.account as usize].in_gainsight);
    let renewal = renewal.unwrap_or_else(|| panic!("no open renewal")) as u32;
    let usage = |active_users| Change::Usage {
        account: 0,
        week: date(2026, 11, 16),
        active_users,
        seats: 20,
        logins: 30,
        adoption: 40,
    };
    let changes = [
        usage(9),
        usage(7),
        Change::Health {
            account: 0,
            score: 33,
        },
        Change::CaseOpened {
            account: 0,
            contact: Some(0),
            subject: "It burns".to_owned(),
            severity: 3,
            owner: 4,
        },
        Change::TaskDone { task },
        Change::StageMoved { renewal, stage: 4 },
        Change::ContactLeft {
            contact: 0,
            on: date(2026, 11, 22),
        },
        Change::AccountRenamed {
            account: 0,
            name: "Renamed".to_owned(),
        },
        Change::SurveyAnswered {
            account: 0,
            contact: Some(0),
            score: 2,
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        site.simulation
            .happen(number as u64 + 1, change)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let account = site.account("cust-000000").await;
    assert_eq!(
        (&account["Name"], &account["PrimaryChurnScoreValue"]),
        (&json!("Renamed"), &json!(67))
    );
    let week = site.filtered("Event", "AccountId eq 1001 and EventDate ge 2026-11-16T00:00:00Z and EventTypeName eq 'Active Users'").await;
    assert_eq!((week.len(), &week[0]["Quantity"]), (1, &json!(7)));
    let scores = site
        .filtered("ChurnScoreCalculation", "AccountId eq 1001")
        .await;
    assert_eq!(scores.last().map(|row| &row["Score"]), Some(&json!(67)));
    let tickets = site
        .filtered("ZendeskTicket", "Subject eq 'It burns'")
        .await;
    assert_eq!(
        (tickets.len(), &tickets[0]["Priority"]),
        (1, &json!("critical"))
    );
    let one = |table: usize, row: u32| format!("({})", id(table, row));
    assert_eq!(
        site.get(&format!("/Task{}", one(TASK, task)), &[]).await["StatusName"],
        "Complete"
    );
    assert_eq!(
        site.get(&format!("/CustomListRenewal{}", one(RENEWAL, renewal)), &[])
            .await["Stage"],
        "Verbal Commit"
    );
    assert_eq!(
        site.get(&format!("/Contact{}", one(CONTACT, 0)), &[]).await["IsActive"],
        false
    );
    assert_eq!(
        site.filtered("SurveyResponse", "AccountId eq 1001 and Score eq 2")
            .await
            .last()
            .map(|row| &row["ResponseDate"])
            .and_then(Value::as_str)
            .map(|at| at.starts_with("2026-11-22T09:00")),
        Some(true)
    );
    assert_eq!(
        site.get(&format!("/Account{}", one(ACCOUNT, 0)), &[]).await["Name"],
        "Renamed"
    );
}

#[tokio::test]
async fn a_second_start_meets_what_the_first_accepted() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = dir.path().to_owned();
    let push = |key: &str, text: &str| {
        json!([
            { "appKey": key, "action": "setAttribute", "accountExternalId": "kept-1", "name": "Name", "value": "Kept" },
            { "appKey": key, "action": "trackEvent", "accountExternalId": "cust-000000", "eventName": "Kept", "description": text, "eventDate": "2026-11-22T08:00:00Z" }
        ])
    };
    let first = {
        let path = path.clone();
        let site = site(|options| options.dir = Some(path)).await;
        assert_eq!(site.push(push(&site.app_key(), "one")).await.0, 200);
        site.simulation
            .happen(
                1,
                Change::AccountRenamed {
                    account: 0,
                    name: "Kept Name".to_owned(),
                },
            )
            .unwrap_or_else(|error| panic!("{error}"));
        (
            site.account("kept-1").await,
            site.filtered("Event", "AccountId eq 1001").await,
        )
    };
    let site = site(|options| options.dir = Some(path)).await;
    assert_eq!(site.account("kept-1").await, first.0);
    assert_eq!(site.filtered("Event", "AccountId eq 1001").await, first.1);
    assert_eq!(site.account("cust-000000").await["Name"], "Kept Name");
    for _ in 0..2 {
        assert_eq!(site.push(push(&site.app_key(), "two")).await.0, 200);
    }
    let events = site
        .filtered("Event", "AccountId eq 1001 and EventTypeName eq 'Kept'")
        .await;
    assert_eq!(events.len(), 2);
    assert_ne!(events[0]["Id"], events[1]["Id"]);
}
