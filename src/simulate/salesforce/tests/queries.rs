//! Queries: what they mean, how they page, what is refused.

use super::*;

#[test]
fn a_query_gives_paths_in_the_order_asked() {
    let client = Client::new();
    let reply = client.get(&format!(
        "/query/?q={}",
        escape("select name, owner.name, Id, CSM__r.Email from account order by name limit 2")
    ));
    let text = reply.body;
    assert!(text.starts_with("{\"totalSize\":2,\"done\":true,\"records\":[{\"attributes\":{\"type\":\"Account\",\"url\":\"/services/data/v62.0/sobjects/Account/001"), "{text}");
    assert!(
        text.find("\"Name\"").unwrap_or(0)
            < text
                .find("\"Owner\":{\"attributes\":{\"type\":\"User\"")
                .unwrap_or(0),
        "{text}"
    );
    assert!(text.contains("\"CSM__r\":{\"attributes\""));
}

#[test]
fn conditions_mean_what_they_say() {
    let client = Client::new();
    let all = client.count("SELECT COUNT() FROM Account");
    assert!(all > 100);
    let smb = client.count("SELECT COUNT() FROM Account WHERE Segment__c = 'smb'");
    assert!(smb > 0 && smb < all);
    assert_eq!(
        client.count("SELECT COUNT() FROM Account WHERE NOT Segment__c = 'SMB'"),
        all - smb
    );
    assert_eq!(client.count("SELECT COUNT() FROM Account WHERE Segment__c IN ('SMB') OR (Segment__c != 'SMB' AND Name != null)"), all);
    assert_eq!(
        client.count("SELECT COUNT() FROM Account WHERE Segment__c NOT IN ('SMB')"),
        all - smb
    );
    let name = client.records("SELECT Name FROM Account LIMIT 1")[0]["Name"]
        .as_str()
        .unwrap_or_default()
        .to_string();
    let start: String = name.chars().take(4).collect::<String>().to_uppercase();
    assert!(
        client.count(&format!(
            "SELECT COUNT() FROM Account WHERE Name LIKE '{start}%'"
        )) >= 1
    );
    let open = client.count("SELECT COUNT() FROM Opportunity WHERE IsClosed = false");
    let soon = client.count(
        "SELECT COUNT() FROM Opportunity WHERE IsClosed = false AND CloseDate = NEXT_N_DAYS:90",
    );
    assert!(soon > 0 && soon < open);
    assert_eq!(
        client.count("SELECT COUNT() FROM Opportunity WHERE IsClosed = false AND CloseDate >= 2026-03-03 AND CloseDate < 2026-06-01"),
        soon
    );
    let with = client.count("SELECT COUNT() FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Lost')");
    let without = client.count("SELECT COUNT() FROM Account WHERE Id NOT IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Lost')");
    assert!(with > 0);
    assert_eq!(with + without, all);
    assert_eq!(client.count("SELECT COUNT() FROM Account WHERE Products__c INCLUDES ('Core;Analytics', 'Automation')"),
        client.count("SELECT COUNT() FROM Account WHERE Products__c INCLUDES ('Analytics') OR Products__c INCLUDES ('Automation')"));
    assert!(
        client
            .count("SELECT COUNT() FROM Task WHERE What.Type = 'Account' AND Who.Name LIKE '%a%'")
            > 0
    );
    assert_eq!(
        client.count("SELECT COUNT() FROM Opportunity WHERE Amount > USD0"),
        client.count("SELECT COUNT() FROM Opportunity WHERE Amount > 0")
    );
}

#[test]
fn groups_children_and_functions() {
    let client = Client::new();
    let rows = client.records("SELECT Segment__c, COUNT(Id) n, SUM(ARR__c) FROM Account GROUP BY Segment__c HAVING COUNT(Id) > 0 ORDER BY COUNT(Id) DESC");
    assert!(rows.len() >= 3, "{rows:?}");
    assert_eq!(rows[0]["attributes"]["type"], "AggregateResult");
    let total: i64 = rows.iter().filter_map(|row| row["n"].as_i64()).sum();
    assert_eq!(total as u64, client.count("SELECT COUNT() FROM Account"));
    assert!(rows[0]["expr0"].is_f64());
    let years = client.records("SELECT CALENDAR_YEAR(CloseDate) y, COUNT_DISTINCT(AccountId) FROM Opportunity GROUP BY CALENDAR_YEAR(CloseDate) ORDER BY CALENDAR_YEAR(CloseDate)");
    assert!(years.len() >= 3);
    let account = client.records("SELECT Id, (SELECT Id, LastName FROM Contacts ORDER BY LastName) FROM Account WHERE Id IN (SELECT AccountId FROM Contact) LIMIT 1");
    let size = account[0]["Contacts"]["totalSize"].as_u64().unwrap_or(0);
    assert!(size > 0);
    let id = account[0]["Id"].as_str().unwrap_or_default();
    assert_eq!(
        size,
        client.count(&format!(
            "SELECT COUNT() FROM Contact WHERE AccountId = '{id}'"
        ))
    );
    assert_eq!(
        size,
        client.count(&format!(
            "SELECT COUNT() FROM Contact WHERE Account.Id = '{}'",
            &id[..15]
        ))
    );
    assert!(
        client.records("SELECT FIELDS(STANDARD) FROM Account LIMIT 1")[0]
            .get("ARR__c")
            .is_none()
    );
    assert!(
        client.records("SELECT FIELDS(ALL) FROM Account LIMIT 200")[0]
            .get("ARR__c")
            .is_some()
    );
    let what = client.records("SELECT TYPEOF What WHEN Account THEN Industry, Owner.Name ELSE Name END FROM Task WHERE WhatId != null LIMIT 1");
    assert!(what[0]["What"]["Industry"].is_string());
}

#[test]
fn wrong_queries_are_refused_in_the_vendors_words() {
    let client = Client::new();
    for (soql, expected, part) in [
        (
            "SELECT Id FORM Account",
            "MALFORMED_QUERY",
            "unexpected token: 'Account'",
        ),
        ("", "MALFORMED_QUERY", ""),
        (
            "SELECT Id FROM Nothing__c",
            "INVALID_TYPE",
            "sObject type 'Nothing__c' is not supported",
        ),
        (
            "SELECT Id, Colour__c FROM Account",
            "INVALID_FIELD",
            "No such column 'Colour__c' on entity 'Account'",
        ),
        (
            "SELECT Id, Boss.Name FROM Account",
            "INVALID_FIELD",
            "Didn't understand relationship 'Boss'",
        ),
        (
            "SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        (
            "SELECT Id FROM Account WHERE ARR__c = 'much'",
            "INVALID_FIELD",
            "must be of type double and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 5",
            "INVALID_FIELD",
            "must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        (
            "SELECT Id FROM Opportunity WHERE CloseDate > 2026-01-01T00:00:00Z",
            "INVALID_FIELD",
            "must be of type date ",
        ),
        (
            "SELECT Id FROM Task WHERE Description LIKE 'a%'",
            "INVALID_FIELD",
            "can not be filtered",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 'it''s'",
            "MALFORMED_QUERY",
            "",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 'open",
            "MALFORMED_QUERY",
            "",
        ),
        (
            "SELECT Id FROM Account WHERE Id = 'abc'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: abc",
        ),
        (
            "SELECT Id FROM Account OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "2000",
        ),
        (
            "SELECT Name, COUNT(Id) FROM Account",
            "MALFORMED_QUERY",
            "Field must be grouped or aggregated: Name",
        ),
        (
            "SELECT FIELDS(ALL) FROM Account",
            "MALFORMED_QUERY",
            "LIMIT of at most 200",
        ),
        (
            "SELECT Id, Id FROM Account",
            "INVALID_FIELD",
            "duplicate field selected: Id",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate = LAST_CENTURY",
            "MALFORMED_QUERY",
            "LAST_CENTURY",
        ),
        ("SELECT Id FROM Account LIMIT", "MALFORMED_QUERY", "<EOF>"),
        (
            "SELECT Id n FROM Account",
            "MALFORMED_QUERY",
            "only aggregate expressions use field aliasing",
        ),
        (
            "SELECT (SELECT Id FROM Horses) FROM Account",
            "INVALID_TYPE",
            "Didn't understand relationship 'Horses'",
        ),
        (
            "SELECT Id FROM Account; DROP TABLE Account",
            "MALFORMED_QUERY",
            "';'",
        ),
        (
            "SELECT Id, FROM Account",
            "MALFORMED_QUERY",
            "unexpected token: 'FROM'",
        ),
        (
            "SELECT FROM Account",
            "MALFORMED_QUERY",
            "unexpected token: 'FROM'",
        ),
        (
            "SELECT What.Name, TYPEOF What WHEN Account THEN Name END FROM Task",
            "MALFORMED_QUERY",
            "selected twice",
        ),
        ("SELECT * FROM Account", "MALFORMED_QUERY", "'*'"),
    ] {
        let (code, message) = client.refused(soql);
        assert_eq!(code, expected, "{soql}: {message}");
        assert!(message.contains(part), "{soql}: {message}");
    }
    let deep = format!(
        "SELECT Id FROM Account WHERE {}Name = 'a'{}",
        "(".repeat(5000),
        ")".repeat(5000)
    );
    assert_eq!(client.refused(&deep).0, "MALFORMED_QUERY");
    let (_, message) = client.refused("SELECT Id, Colour__c FROM Account");
    assert!(
        message.contains("\n           ^\nERROR at Row:1:Column:12\n"),
        "{message}"
    );
}

#[test]
fn pages_follow_and_locators_expire() {
    let client = Client::new();
    let mut page = body(&client.send(
        "GET",
        &format!("{DATA}/query?q={}", escape("SELECT Id FROM Task")),
        &[("sforce-query-options", "batchSize=200")],
        &Json::Null,
    ));
    let total = page["totalSize"].as_u64().unwrap_or(0);
    assert!(total > 200, "{total}");
    let first = page["nextRecordsUrl"]
        .as_str()
        .unwrap_or_default()
        .to_string();
    let mut ids = std::collections::HashSet::new();
    loop {
        ids.extend(
            page["records"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|row| row["Id"].to_string()),
        );
        let Some(next) = page["nextRecordsUrl"].as_str() else {
            break;
        };
        page = body(&client.send(
            "GET",
            next,
            &[("sforce-query-options", "batchSize=200")],
            &Json::Null,
        ));
    }
    assert_eq!(ids.len() as u64, total);
    assert_eq!(page["done"], true);
    assert_eq!(
        client
            .org
            .answer(&Request::new("POST", "/__sim/salesforce/expire-locators"))
            .status,
        204
    );
    assert_eq!(
        code(&client.send("GET", &first, &[], &Json::Null)),
        "INVALID_QUERY_LOCATOR"
    );
}

#[test]
fn a_keyset_walk_meets_every_record_once() {
    let client = Client::new();
    let all = client.count("SELECT COUNT() FROM Case");
    let (mut stamp, mut id, mut seen) = (
        "1900-01-01T00:00:00Z".to_string(),
        "500000000000000".to_string(),
        0,
    );
    loop {
        let rows = client.records(&format!(
            "SELECT Id, SystemModstamp FROM Case WHERE SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{id}') ORDER BY SystemModstamp, Id LIMIT 50"
        ));
        let Some(last) = rows.last() else { break };
        seen += rows.len() as u64;
        stamp = last["SystemModstamp"]
            .as_str()
            .unwrap_or_default()
            .to_string();
        id = last["Id"].as_str().unwrap_or_default().to_string();
    }
    assert_eq!(seen, all);
}

#[test]
fn describes_fit_the_records() {
    let client = Client::new();
    let global = body(&client.get("/sobjects/"));
    for object in global["sobjects"].as_array().into_iter().flatten() {
        let name = object["name"].as_str().unwrap_or_default();
        let described = body(&client.get(&format!("/sobjects/{name}/describe")));
        let fields: Vec<&str> = described["fields"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|field| field["name"].as_str())
            .collect();
        assert!(fields.len() > 5, "{name}");
        client.query(&format!("SELECT {} FROM {name} LIMIT 3", fields.join(",")));
    }
    let reply = client.send(
        "GET",
        &format!("{DATA}/sobjects/Account/describe"),
        &[("if-modified-since", "Tue, 03 Mar 2026 00:00:00 GMT")],
        &Json::Null,
    );
    assert_eq!(reply.status, 304);
}

proptest::proptest! {
    /// No text makes the parser fall; what it refuses it refuses with a code.
    #[test]
    fn any_text_is_answered(words in proptest::collection::vec(proptest::sample::select(vec![
        "SELECT", "Id", "Name", ",", "FROM", "Account", "WHERE", "(", ")", "AND", "OR", "NOT", "=", "<", "!=", "IN", "LIKE", "'a%'", "'é\\'",
        "null", "TRUE", "12", "-1.5e3", "2026-01-01", "2026-01-01T00:00:00Z", "LAST_N_YEARS:99999", "N_DAYS_AGO:7", "ORDER", "BY", "LIMIT",
        "OFFSET", "COUNT()", "COUNT(Id)", "GROUP", "HAVING", "Owner.Name", "FIELDS(ALL)", "TYPEOF", "USD5", "\u{202e}", "日本", "'", ".", "\n",
    ]), 0..24)) {
        let schema = crate::simulate::salesforce::catalog::schema(vec![("USD", 1.0)]);
        let text = words.join(" ");
        if let Err(failure) = crate::simulate::salesforce::soql::prepare(&schema, &text, 0) {
            proptest::prop_assert_eq!(failure.status, 400);
        }
        let tail = format!("SELECT Id FROM Account WHERE {text}");
        if let Err(failure) = crate::simulate::salesforce::soql::prepare(&schema, &tail, 0) {
            proptest::prop_assert_eq!(failure.status, 400);
        }
    }
}
