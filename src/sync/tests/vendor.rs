//! A vendor made of paper that can be told to misbehave, and a clock that stands still until it is moved.

use super::*;

/// A clock that stands still until it is moved.
pub(super) struct TestClock(pub(super) AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

impl TestClock {
    pub(super) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// What the paper vendor does with the next write.
pub(super) enum Mood {
    /// Carries it out and says so.
    Good,
    /// Carries it out, and the answer is lost.
    LosesAnswer,
    /// Breaks down before it does anything, but nobody can know.
    LosesRequest,
    Fails(ErrorKind),
    Disagrees,
}

#[derive(Default)]
pub(super) struct Paper {
    /// Version, deleted, fields.
    pub(super) rows: BTreeMap<(&'static str, String), (u64, bool, Record)>,
    pub(super) version: u64,
    pub(super) fetches: Vec<(String, Option<String>)>,
    pub(super) broken: VecDeque<(String, ErrorKind)>,
    pub(super) repeat: Option<&'static str>,
    /// A stream that breaks once, after so many pages.
    pub(super) breaks_after: Option<(&'static str, usize, ErrorKind)>,
    pub(super) problems: Vec<RowProblem>,
    pub(super) moods: VecDeque<Mood>,
    pub(super) writes: Vec<Write>,
    pub(super) asked: usize,
    pub(super) requests: u64,
}

#[derive(Clone)]
pub(super) struct Vendor {
    pub(super) streams: &'static [(&'static str, Entity)],
    pub(super) paper: Arc<Mutex<Paper>>,
}

pub(super) const CRM: &[(&str, Entity)] = &[
    ("people", Entity::Person),
    ("accounts", Entity::Account),
    ("renewals", Entity::Renewal),
];
pub(super) const CS: &[(&str, Entity)] = &[
    ("accounts", Entity::Account),
    ("escalations", Entity::Escalation),
];

impl Vendor {
    pub(super) fn new(streams: &'static [(&'static str, Entity)]) -> Vendor {
        Vendor {
            streams,
            paper: Arc::default(),
        }
    }
    pub(super) fn paper(&self) -> MutexGuard<'_, Paper> {
        self.paper.lock().unwrap()
    }
    pub(super) fn stream_of(&self, entity: Entity) -> &'static str {
        self.streams.iter().find(|(_, e)| *e == entity).unwrap().0
    }
    pub(super) fn put(&self, entity: Entity, id: &str, fields: &[(&'static str, FieldValue)]) {
        let stream = self.stream_of(entity);
        let mut p = self.paper();
        p.version += 1;
        let record = Record {
            entity,
            external_id: id.to_owned(),
            modified: None,
            deleted: false,
            fields: fields
                .iter()
                .map(|(f, v)| ((*f).into(), v.clone()))
                .collect(),
        };
        let version = p.version;
        p.rows
            .insert((stream, id.to_owned()), (version, false, record));
    }
    pub(super) fn remove(&self, entity: Entity, id: &str, tell: bool) {
        let key = (self.stream_of(entity), id.to_owned());
        let mut p = self.paper();
        p.version += 1;
        let version = p.version;
        if tell {
            let row = p.rows.get_mut(&key).unwrap();
            (row.0, row.1) = (version, true);
        } else {
            p.rows.remove(&key);
        }
    }
    /// Writes received, and questions whether a create arrived.
    pub(super) fn counts(&self) -> (usize, usize) {
        let p = self.paper();
        (p.writes.len(), p.asked)
    }
    pub(super) fn count(&self, entity: Entity) -> usize {
        let stream = self.stream_of(entity);
        let p = self.paper();
        p.rows.keys().filter(|(s, _)| *s == stream).count()
    }
}

pub(super) fn error(kind: ErrorKind) -> ConnectError {
    ConnectError {
        message: format!("the paper vendor says {kind:?}"),
        kind,
    }
}

pub(super) const MARKER: &str = "x.marker";

impl Connector for Vendor {
    fn kind(&self) -> &'static str {
        "paper"
    }
    fn streams(&self) -> Vec<Stream> {
        self.streams
            .iter()
            .map(|(name, entity)| Stream {
                name,
                entity: *entity,
                apart: false,
            })
            .collect()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
    fn check(&self) -> BoxFuture<'_, Result<String, ConnectError>> {
        async { Ok("logged in".to_owned()) }.boxed()
    }
    fn fetch<'a>(
        &'a self,
        stream: &'a str,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Page, ConnectError>> {
        let mut p = self.paper();
        p.fetches
            .push((stream.to_owned(), cursor.map(|c| c.0.clone())));
        p.requests += 1;
        let answer = (|| {
            if p.broken.front().is_some_and(|(s, _)| s == stream) {
                let (_, kind) = p.broken.pop_front().unwrap();
                return Err(error(kind));
            }
            if let Some((s, left, _)) = &mut p.breaks_after
                && *s == stream
            {
                if *left == 0 {
                    let (.., kind) = p.breaks_after.take().unwrap();
                    return Err(error(kind));
                }
                *left -= 1;
            }
            let from: u64 = cursor.map_or(0, |c| c.0.parse().unwrap());
            let mut rows: Vec<&(u64, bool, Record)> = p
                .rows
                .iter()
                .filter(|((s, _), (v, gone, _))| *s == stream && *v > from && !(*gone && from == 0))
                .map(|(_, row)| row)
                .collect();
            rows.sort_by_key(|(v, ..)| *v);
            // Pages of two rows.
            let done = rows.len() <= 2 && p.repeat != Some(self.name(stream));
            rows.truncate(2);
            let next = if p.repeat == Some(self.name(stream)) {
                1
            } else {
                rows.last().map_or(from, |(v, ..)| *v)
            };
            Ok(Page {
                records: rows
                    .into_iter()
                    .map(|(_, deleted, r)| Record {
                        deleted: *deleted,
                        fields: if *deleted {
                            Vec::new()
                        } else {
                            r.fields.clone()
                        },
                        ..r.clone()
                    })
                    .collect(),
                problems: p.problems.clone(),
                next: Cursor(next.to_string()),
                done,
                total: None,
                requests: 1,
            })
        })();
        async move { answer }.boxed()
    }
    fn read<'a>(
        &'a self,
        entity: Entity,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        let key = (self.stream_of(entity), id.to_owned());
        let row = self.paper().rows.get(&key).map(|r| r.2.clone());
        async move { Ok(row) }.boxed()
    }
    fn find<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        let mut p = self.paper();
        p.asked += 1;
        let marker = FieldValue::Text(write.marker.clone());
        let found = p
            .rows
            .values()
            .find(|(_, _, r)| r.get(MARKER) == Some(&marker))
            .map(|r| r.2.clone());
        async move { Ok(found) }.boxed()
    }
    fn write<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Written, ConnectError>> {
        let mut p = self.paper();
        p.writes.push(write.clone());
        let lost = ErrorKind::Retry {
            after: None,
            maybe_done: true,
        };
        let mood = p.moods.pop_front().unwrap_or(Mood::Good);
        let answer = match mood {
            Mood::Fails(kind) => Err(error(kind)),
            Mood::LosesRequest => Err(error(lost)),
            Mood::Disagrees => Ok(Written::Conflict(Conflict {
                modified: None,
                by: Some("somebody".into()),
                fields: write
                    .fields
                    .iter()
                    .map(|(f, base, mine)| ConflictField {
                        field: f.clone().into(),
                        base: base.clone(),
                        mine: mine.clone(),
                        theirs: FieldValue::Text("theirs".into()),
                    })
                    .collect(),
            })),
            Mood::Good | Mood::LosesAnswer => {
                p.version += 1;
                let version = p.version;
                let stream = self.stream_of(write.entity);
                let id = write
                    .external_id
                    .clone()
                    .unwrap_or_else(|| format!("made-{version}"));
                let row = p.rows.entry((stream, id.clone())).or_insert_with(|| {
                    let mut fields = vec![(MARKER.into(), FieldValue::Text(write.marker.clone()))];
                    if let Some(account) = &write.account {
                        fields.push(("account".into(), FieldValue::Ref(account.clone())));
                    }
                    let record = Record {
                        entity: write.entity,
                        external_id: id.clone(),
                        modified: None,
                        deleted: false,
                        fields,
                    };
                    (version, false, record)
                });
                row.0 = version;
                for (field, _, want) in &write.fields {
                    row.2.fields.retain(|(f, _)| f != field);
                    row.2.fields.push((field.clone().into(), want.clone()));
                }
                let record = row.2.clone();
                if matches!(mood, Mood::LosesAnswer) {
                    Err(error(lost))
                } else {
                    Ok(Written::Done {
                        external_id: id,
                        record: Some(record),
                    })
                }
            }
        };
        async move { answer }.boxed()
    }
    fn web_url(&self, _: Entity, id: &str) -> Option<String> {
        Some(format!("https://paper.example/{id}"))
    }
    fn budget(&self) -> Budget {
        Budget {
            ours: self.paper().requests,
            ..Budget::default()
        }
    }
}

impl Vendor {
    pub(super) fn name(&self, stream: &str) -> &'static str {
        self.streams.iter().find(|(s, _)| *s == stream).unwrap().0
    }
}
