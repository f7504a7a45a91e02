//! People and contacts: recognised by their address, contacts within their account.

use super::*;

#[test]
fn people_are_recognised_by_their_mail_address() {
    let person = |s, id, mail| {
        record(
            s,
            Entity::Person,
            id,
            &[("name", text("Dana")), ("email", text(mail))],
        )
    };
    let out = run(
        &batch(vec![
            person("crm", "005", "Dana@Acme.io"),
            person("cs", "U1", "dana@acme.io"),
            person("cs", "U2", ""),
        ]),
        &[],
    );
    assert_eq!(out.rows.len(), 2);
    assert_eq!(how(&out, "cs")[0], (100, MatchHow::Domain));
}

#[test]
fn a_shared_address_ties_no_people() {
    let person = |source: &str, id: &str| {
        record(
            source,
            Entity::Contact,
            id,
            &[
                ("name", text("Front desk")),
                ("email", text("Info@acme.io")),
            ],
        )
    };
    let b = batch(vec![person("crm", "003"), person("cs", "1C")]);
    assert_eq!(run(&b, &[]).rows.len(), 1);
    let rules = with(|c| {
        c.identity.shared_emails.insert("info@acme.io".into());
    });
    assert_eq!(run_with(&rules, &b, &[]).rows.len(), 2);
}

#[test]
fn who_works_with_several_accounts_is_one_contact_of_each_whichever_system_comes_first() {
    let contact = |source: &str, id: &str, account: &str, name: &str| {
        let fields = [
            ("name", text(name)),
            ("email", text("wei@consult.io")),
            ("account", FieldValue::Ref(account.into())),
        ];
        record(source, Entity::Contact, id, &fields)
    };
    let known = [
        tie("crm", Entity::Account, "A", 1),
        tie("crm", Entity::Account, "B", 2),
        tie("cs", Entity::Account, "1A", 1),
        tie("cs", Entity::Account, "1B", 2),
    ];
    let all = [
        contact("crm", "3A", "A", "Wei de Souza"),
        contact("crm", "3B", "B", "Wei de Souza"),
        // Twice in the one system, and once in the other.
        contact("crm", "3C", "B", "W. de Souza"),
        contact("cs", "5B", "1B", "Wei de Souza"),
        contact("cs", "5A", "1A", "Wei de Souza"),
    ];
    let mut order: Vec<usize> = (0..all.len()).collect();
    for turn in 0..20 {
        order.rotate_left(1 + turn % 2);
        order.swap(turn % 5, (turn * 3 + 1) % 5);
        let mut b = batch(order.iter().map(|i| all[*i].clone()).collect());
        b.entity = Some(Entity::Contact);
        b.crosswalk = known.to_vec();
        let out = run(&b, &[]);
        let row = |id: &str| {
            let tie = out.crosswalk.iter().find(|c| c.external_id == id);
            tie.expect("a tie").local
        };
        assert_eq!(out.rows.len(), 3, "{order:?}");
        assert_eq!(row("3A"), row("5A"), "{order:?}");
        assert!([row("3B"), row("3C")].contains(&row("5B")), "{order:?}");
        // The same when each comes alone and finds the rows that the store names.
        let lone = |stored: &StoredRecord, local: u32, account: u32| {
            let mut b = batch(vec![stored.clone()]);
            b.crosswalk = known.to_vec();
            let answer = Candidate {
                key: MatchKey::Email("wei@consult.io".into()),
                local: LocalId(local),
                name: "Wei de Souza".into(),
                sources: vec!["crm".into()],
                account: Some(LocalId(account)),
            };
            how(&run(&b, &[answer]), "cs")
        };
        assert_eq!(lone(&all[4], 9, 1), [(9, MatchHow::Domain)]);
        assert_eq!(lone(&all[4], 9, 2), [(100, MatchHow::New)]);
    }
}
