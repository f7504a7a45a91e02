//! Associations: which types there are, which the world has, and what changed since.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::catalog::ObjectId::{
    self, Call, Company, Contact, Deal, Email, Feedback, Meeting, Note, Task, Ticket,
};
use crate::simulate::world::World;

/// A record.
pub(super) type Ref = (ObjectId, u32);

/// A type of association seen from one side, and its number seen from the other.
pub(super) struct LinkType {
    pub from: ObjectId,
    pub to: ObjectId,
    pub id: u16,
    pub inverse: u16,
    pub label: Option<&'static str>,
}

const fn pair(from: ObjectId, to: ObjectId, id: u16, inverse: u16) -> LinkType {
    LinkType {
        from,
        to,
        id,
        inverse,
        label: None,
    }
}

const fn primary(from: ObjectId, to: ObjectId, id: u16, inverse: u16) -> LinkType {
    LinkType {
        from,
        to,
        id,
        inverse,
        label: Some("Primary"),
    }
}

/// Each pair once. The numbers from activities to the four kinds of records are published; those back from them (one less)
/// and the ones between companies are unverified.
const PAIRS: &[LinkType] = &[
    pair(Contact, Company, 279, 280),
    primary(Contact, Company, 1, 2),
    pair(Deal, Contact, 3, 4),
    pair(Deal, Company, 341, 342),
    primary(Deal, Company, 5, 6),
    pair(Ticket, Contact, 16, 15),
    pair(Ticket, Company, 339, 340),
    primary(Ticket, Company, 26, 25),
    pair(Deal, Ticket, 27, 28),
    pair(Note, Company, 190, 189),
    pair(Note, Contact, 202, 201),
    pair(Note, Deal, 214, 213),
    pair(Note, Ticket, 228, 227),
    pair(Task, Company, 192, 191),
    pair(Task, Contact, 204, 203),
    pair(Task, Deal, 216, 215),
    pair(Task, Ticket, 230, 229),
    pair(Call, Company, 182, 181),
    pair(Call, Contact, 194, 193),
    pair(Call, Deal, 206, 205),
    pair(Call, Ticket, 220, 219),
    pair(Email, Company, 186, 185),
    pair(Email, Contact, 198, 197),
    pair(Email, Deal, 210, 209),
    pair(Email, Ticket, 224, 223),
    pair(Meeting, Company, 188, 187),
    pair(Meeting, Contact, 200, 199),
    pair(Meeting, Deal, 212, 211),
    pair(Meeting, Ticket, 226, 225),
    pair(Feedback, Contact, 98, 97),
    pair(Feedback, Ticket, 100, 99),
    LinkType {
        from: Company,
        to: Company,
        id: 13,
        inverse: 14,
        label: Some("Child Company"),
    },
    LinkType {
        from: Company,
        to: Company,
        id: 14,
        inverse: 13,
        label: Some("Parent Company"),
    },
    pair(Company, Company, 450, 450),
];

/// The types from one object to another.
pub(super) fn types(from: ObjectId, to: ObjectId) -> Vec<LinkType> {
    let mut found: Vec<LinkType> = Vec::new();
    for known in PAIRS {
        if (known.from, known.to) == (from, to) {
            found.push(LinkType { ..*known });
        } else if (known.to, known.from) == (from, to) {
            found.push(LinkType {
                from,
                to,
                id: known.inverse,
                inverse: known.id,
                label: known.label,
            });
        }
    }
    found
}

/// The type that an association without a label has.
pub(super) fn plain(from: ObjectId, to: ObjectId) -> Option<u16> {
    types(from, to)
        .into_iter()
        .find(|known| known.label.is_none())
        .map(|known| known.id)
}

/// The type of the primary association, where there is one.
pub(super) fn first(from: ObjectId, to: ObjectId) -> Option<u16> {
    types(from, to)
        .into_iter()
        .find(|known| known.label == Some("Primary"))
        .map(|known| known.id)
}

/// The name of a type in the older answers: `deal_to_company`, and `deal_to_company_unlabeled` beside the primary one.
pub(super) fn old_name(from: ObjectId, to: ObjectId, id: u16) -> String {
    let name = format!("{}_to_{}", from.singular(), to.singular());
    match (first(from, to), plain(from, to)) {
        (Some(_), Some(plain)) if plain == id => format!("{name}_unlabeled"),
        _ => match id {
            13 => "parent_to_child_company".to_owned(),
            14 => "child_to_parent_company".to_owned(),
            _ => name,
        },
    }
}

/// What changed since the world was made. A pair is kept from both sides, with the types that it has now.
#[derive(Default)]
pub(super) struct Links {
    pairs: HashMap<(Ref, Ref), Vec<u16>>,
    touched: HashMap<Ref, BTreeSet<Ref>>,
    children: HashMap<u32, Vec<u32>>,
}

impl Links {
    pub fn new(world: &World) -> Self {
        let mut links = Links::default();
        for (row, account) in world.accounts.iter().enumerate() {
            if let Some(parent) = account.parent {
                links.children.entry(parent).or_default().push(row as u32);
            }
        }
        links
    }

    /// Sets the types of a pair; none at all takes it apart.
    pub fn set(&mut self, from: Ref, to: Ref, ids: &[u16]) {
        let known = types(from.0, to.0);
        let back = ids
            .iter()
            .filter_map(|id| known.iter().find(|known| known.id == *id))
            .map(|known| known.inverse)
            .collect();
        self.pairs.insert((from, to), ids.to_vec());
        self.touched.entry(from).or_default().insert(to);
        self.pairs.insert((to, from), back);
        self.touched.entry(to).or_default().insert(from);
    }

    /// The rows of `to` that a record is associated with, in the order of their ids, with the types.
    pub fn of(&self, world: &World, from: Ref, to: ObjectId) -> Vec<(u32, Vec<u16>)> {
        let mut found: BTreeMap<u32, Vec<u16>> = self
            .base(world, from, to)
            .into_iter()
            .map(|(row, ids)| (row, ids.to_vec()))
            .collect();
        if let Some(touched) = self.touched.get(&from) {
            for other in touched.iter().filter(|other| other.0 == to) {
                if let Some(ids) = self.pairs.get(&(from, *other)) {
                    found.insert(other.1, ids.clone());
                }
            }
        }
        found.retain(|_, ids| !ids.is_empty());
        found.into_iter().collect()
    }

    /// The types of one pair.
    pub fn between(&self, world: &World, from: Ref, to: Ref) -> Vec<u16> {
        if let Some(ids) = self.pairs.get(&(from, to)) {
            return ids.clone();
        }
        self.base(world, from, to.0)
            .into_iter()
            .find(|(row, _)| *row == to.1)
            .map(|(_, ids)| ids.to_vec())
            .unwrap_or_default()
    }

    /// What the world says.
    fn base(&self, world: &World, (from, row): Ref, to: ObjectId) -> Vec<(u32, &'static [u16])> {
        match (from, to) {
            (Company, Company) => {
                let parent = world
                    .accounts
                    .get(row as usize)
                    .and_then(|account| account.parent);
                let children = self.children.get(&row).into_iter().flatten();
                let parent = parent.map(|parent| (parent, &[14u16] as &'static [u16]));
                parent
                    .into_iter()
                    .chain(children.map(|child| (*child, &[13u16] as &'static [u16])))
                    .collect()
            }
            (Company, _) => under(world, row, to)
                .into_iter()
                .map(|row| (row, ids(from, to)))
                .collect(),
            (_, Company) => account_of(world, from, row)
                .map(|account| (account, ids(from, to)))
                .into_iter()
                .collect(),
            (Contact, _) => {
                let Some(account) = account_of(world, from, row) else {
                    return Vec::new();
                };
                under(world, account, to)
                    .into_iter()
                    .filter(|other| contact_of(world, to, *other) == Some(row))
                    .map(|other| (other, ids(from, to)))
                    .collect()
            }
            (_, Contact) => contact_of(world, from, row)
                .map(|contact| (contact, ids(from, to)))
                .into_iter()
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn ids(from: ObjectId, to: ObjectId) -> &'static [u16] {
    match (from, to) {
        (Contact, Company) => &[1, 279],
        (Company, Contact) => &[2, 280],
        (Deal, Company) => &[5, 341],
        (Company, Deal) => &[6, 342],
        (Ticket, Company) => &[26, 339],
        (Company, Ticket) => &[25, 340],
        _ => {
            for known in PAIRS {
                if (known.from, known.to) == (from, to) {
                    return std::slice::from_ref(&known.id);
                }
                if (known.to, known.from) == (from, to) {
                    return std::slice::from_ref(&known.inverse);
                }
            }
            &[]
        }
    }
}

/// The rows of an account lie together.
fn span<T>(rows: &[T], account: u32, of: impl Fn(&T) -> u32) -> Range<u32> {
    rows.partition_point(|row| of(row) < account) as u32
        ..rows.partition_point(|row| of(row) <= account) as u32
}

/// The rows of an object that belong to an account, whether the portal shows them or not.
fn under(world: &World, account: u32, to: ObjectId) -> Vec<u32> {
    let touches = || span(&world.touchpoints, account, |row| row.account).collect();
    match to {
        Contact => span(&world.contacts, account, |row| row.account).collect(),
        Deal => span(&world.renewals, account, |row| row.account).collect(),
        Ticket => span(&world.cases, account, |row| row.account).collect(),
        Task => span(&world.tasks, account, |row| row.account).collect(),
        Feedback => span(&world.surveys, account, |row| row.account).collect(),
        Note | Call | Meeting | Email => touches(),
        Company => Vec::new(),
    }
}

/// The account that a record belongs to.
pub(super) fn account_of(world: &World, from: ObjectId, row: u32) -> Option<u32> {
    let at = row as usize;
    match from {
        Company => None,
        Contact => world.contacts.get(at).map(|row| row.account),
        Deal => world.renewals.get(at).map(|row| row.account),
        Ticket => world.cases.get(at).map(|row| row.account),
        Task => world.tasks.get(at).map(|row| row.account),
        Note | Call | Meeting | Email => world.touchpoints.get(at).map(|row| row.account),
        // A survey answer hangs on the person alone.
        Feedback => None,
    }
}

/// The contact that a record belongs to. Deals hang on the primary contact.
fn contact_of(world: &World, from: ObjectId, row: u32) -> Option<u32> {
    let at = row as usize;
    match from {
        Deal => {
            let account = world.renewals.get(at)?.account;
            let primary = world
                .contacts_of(account)
                .find(|place| world.contacts.get(*place).is_some_and(|row| row.primary))?;
            Some(primary as u32)
        }
        Ticket => world.cases.get(at)?.contact,
        Task => world.tasks.get(at)?.contact,
        Note | Call | Meeting | Email => world.touchpoints.get(at)?.contact,
        Feedback => world.surveys.get(at)?.contact,
        Company | Contact => None,
    }
}
