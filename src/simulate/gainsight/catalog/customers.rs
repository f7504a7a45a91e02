//! Companies and their renewals.

use super::{Object, ObjectId, company, field, fixed, gsid, nothing, of, required, seen, user};
use crate::simulate::gainsight::picklists::Category;
use crate::simulate::gainsight::value::{Kind, Val, day, owned, second, text};
use crate::simulate::world::{Lifecycle, WEEKS, ids};

/// Customers.
pub(super) fn company_object() -> Object {
    Object {
        id: ObjectId::Company,
        name: "Company",
        label: "Company",
        rows: |w| w.accounts.len() as u32,
        visible: seen,
        nested: false,
        writable: true,
        fields: vec![
            gsid(ObjectId::Company),
            required("Name", "Name", Kind::Text, |w, r| {
                of(&w.accounts, r, |a| text(a.name_in_gainsight()))
            }),
            field(
                "SfdcAccountId",
                "SFDC Account ID",
                Kind::Text,
                |w, r| match w.accounts.get(r as usize) {
                    Some(a) if a.in_salesforce && a.linked => {
                        owned(ids::salesforce_id("001", u64::from(r)))
                    }
                    _ => Val::Null,
                },
            ),
            field("Website", "Website", Kind::Url, |w, r| {
                match w.accounts.get(r as usize) {
                    Some(a) if a.gainsight_domain => text(&a.domain),
                    _ => Val::Null,
                }
            }),
            field(
                "Status",
                "Status",
                Kind::Pick(Category::CompanyStatus),
                |w, r| {
                    of(&w.accounts, r, |a| {
                        Val::Pick(
                            Category::CompanyStatus,
                            if a.lifecycle == Lifecycle::Churned {
                                2
                            } else {
                                0
                            },
                        )
                    })
                },
            ),
            field(
                "Stage",
                "Stage",
                Kind::Pick(Category::CompanyStage),
                |w, r| {
                    of(&w.accounts, r, |a| {
                        Val::Pick(Category::CompanyStage, a.lifecycle as u16)
                    })
                },
            ),
            field("Csm", "CSM", Kind::Lookup(ObjectId::User), |w, r| {
                of(&w.accounts, r, |a| user(a.csm))
            }),
            field(
                "ParentCompany",
                "Parent Company",
                Kind::Lookup(ObjectId::Company),
                |w, r| {
                    w.accounts
                        .get(r as usize)
                        .and_then(|a| a.parent)
                        .filter(|parent| seen(w, *parent))
                        .map_or(Val::Null, company)
                },
            ),
            field("Arr", "ARR", Kind::Currency, |w, r| {
                of(&w.accounts, r, |a| Val::Num(w.major(a.arr, a.currency)))
            }),
            field("Mrr", "MRR", Kind::Currency, |w, r| {
                of(&w.accounts, r, |a| {
                    Val::Num((w.major(a.arr, a.currency) / 12.0 * 100.0).round() / 100.0)
                })
            }),
            field("CurrencyIsoCode", "Currency", Kind::Text, |w, r| {
                of(&w.accounts, r, |a| {
                    text(w.currencies[a.currency as usize].code)
                })
            }),
            field("Renewal_Date", "Renewal Date", Kind::Date, |w, r| {
                w.accounts
                    .get(r as usize)
                    .and_then(|a| a.renewal_date)
                    .map_or(Val::Null, day)
            }),
            field(
                "OriginalContractDate",
                "Original Contract Date",
                Kind::Date,
                |w, r| of(&w.accounts, r, |a| day(a.start)),
            ),
            field("Industry", "Industry", Kind::Text, |w, r| {
                of(&w.accounts, r, |a| text(a.industry))
            }),
            field("Country", "Country", Kind::Text, |w, r| {
                of(&w.accounts, r, |a| text(a.country))
            }),
            field("Employees", "Employees", Kind::Number, |w, r| {
                of(&w.accounts, r, |a| Val::Num(f64::from(a.employees)))
            }),
            field("Users", "Users", Kind::Number, |w, r| {
                of(&w.accounts, r, |a| Val::Num(f64::from(a.seats)))
            }),
            fixed("CurrentScore", "Current Score", Kind::Number, |w, r| {
                w.health_now(r)
                    .map_or(Val::Null, |score| Val::Num(f64::from(score)))
            }),
            fixed("PreviousScore", "Previous Score", Kind::Number, |w, r| {
                w.health(r, WEEKS - 5)
                    .map_or(Val::Null, |score| Val::Num(f64::from(score)))
            }),
            field(
                "Segment__gc",
                "Segment",
                Kind::Pick(Category::Segment),
                |w, r| {
                    of(&w.accounts, r, |a| {
                        Val::Pick(Category::Segment, a.segment as u16)
                    })
                },
            ),
            field(
                "Touch_Model__gc",
                "Touch Model",
                Kind::Pick(Category::Touch),
                |w, r| {
                    of(&w.accounts, r, |a| {
                        Val::Pick(Category::Touch, a.touch as u16)
                    })
                },
            ),
            field(
                "CSM_Sentiment__gc",
                "CSM Sentiment",
                Kind::Pick(Category::Sentiment),
                |w, r| {
                    of(&w.accounts, r, |a| {
                        Val::Pick(Category::Sentiment, (a.sentiment + 1) as u16)
                    })
                },
            ),
            field("Region__gc", "Region", Kind::Text, |w, r| {
                of(&w.accounts, r, |a| {
                    text(["AMER", "EMEA", "APAC", "LATAM"][a.region as usize])
                })
            }),
            field("Notice_Days__gc", "Notice Days", Kind::Number, |w, r| {
                w.contracts_of(r)
                    .next_back()
                    .and_then(|place| w.contracts.get(place))
                    .map_or(Val::Null, |c| Val::Num(f64::from(c.notice_days)))
            }),
            field("Auto_Renew__gc", "Auto Renew", Kind::Boolean, |w, r| {
                w.contracts_of(r)
                    .next_back()
                    .and_then(|place| w.contracts.get(place))
                    .map_or(Val::Null, |c| Val::Bool(c.auto_renew))
            }),
            fixed("NPS__gc", "Latest NPS", Kind::Number, |w, r| {
                w.surveys_of(r)
                    .next_back()
                    .and_then(|place| w.surveys.get(place))
                    .map_or(Val::Null, |s| Val::Num(f64::from(s.score)))
            }),
            field("External_Id__gc", "External Id", Kind::Text, nothing),
            fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                of(&w.accounts, r, |a| second(a.created))
            }),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                of(&w.accounts, r, |a| second(a.modified))
            }),
        ],
    }
}

/// Renewals, as an administrator of such a tenant would keep them.
pub(super) fn renewal() -> Object {
    Object {
        id: ObjectId::Renewal,
        name: "renewal__gc",
        label: "Renewal",
        rows: |w| w.renewals.len() as u32,
        visible: |w, r| {
            w.renewals
                .get(r as usize)
                .is_some_and(|renewal| seen(w, renewal.account))
        },
        nested: false,
        writable: true,
        fields: vec![
            gsid(ObjectId::Renewal),
            field("Name", "Name", Kind::Text, |w, r| {
                of(&w.renewals, r, |renewal| {
                    owned(format!(
                        "{} Renewal {}",
                        w.accounts
                            .get(renewal.account as usize)
                            .map_or("", |a| a.name_in_gainsight()),
                        renewal.original_due.year()
                    ))
                })
            }),
            required(
                "Company__gc",
                "Company",
                Kind::Lookup(ObjectId::Company),
                |w, r| of(&w.renewals, r, |x| company(x.account)),
            ),
            field("Renewal_Date__gc", "Renewal Date", Kind::Date, |w, r| {
                w.renewals
                    .get(r as usize)
                    .and_then(|x| x.due)
                    .map_or(Val::Null, day)
            }),
            field("Amount__gc", "Amount", Kind::Currency, |w, r| {
                of(&w.renewals, r, |x| Val::Num(w.major(x.amount, x.currency)))
            }),
            field("Target__gc", "Target", Kind::Currency, |w, r| {
                of(&w.renewals, r, |x| Val::Num(w.major(x.target, x.currency)))
            }),
            field("CurrencyIsoCode", "Currency", Kind::Text, |w, r| {
                of(&w.renewals, r, |x| {
                    text(w.currencies[x.currency as usize].code)
                })
            }),
            field(
                "Stage__gc",
                "Stage",
                Kind::Pick(Category::RenewalStage),
                |w, r| {
                    of(&w.renewals, r, |x| {
                        Val::Pick(Category::RenewalStage, x.stage as u16)
                    })
                },
            ),
            field(
                "Forecast__gc",
                "Forecast",
                Kind::Pick(Category::Forecast),
                |w, r| {
                    of(&w.renewals, r, |x| {
                        Val::Pick(Category::Forecast, x.forecast as u16)
                    })
                },
            ),
            field(
                "Probability__gc",
                "Probability",
                Kind::Percentage,
                |w, r| of(&w.renewals, r, |x| Val::Num(f64::from(x.probability))),
            ),
            field(
                "Owner__gc",
                "Owner",
                Kind::Lookup(ObjectId::User),
                |w, r| of(&w.renewals, r, |x| user(x.owner)),
            ),
            fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                of(&w.renewals, r, |x| second(x.created))
            }),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                of(&w.renewals, r, |x| second(x.modified))
            }),
        ],
    }
}
