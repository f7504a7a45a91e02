//! Pick lists: their categories, items, and the GSIDs of the items.

use crate::simulate::world::ids;

/// A category, by the name that the documents use for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Category {
    CtaType,
    CtaStatus,
    CtaPriority,
    CtaReason,
    CompanyStatus,
    CompanyStage,
    Segment,
    Touch,
    Sentiment,
    RenewalStage,
    Forecast,
    Role,
    TaskStatus,
}

pub(super) const ALL: [Category; 13] = [
    Category::CtaType,
    Category::CtaStatus,
    Category::CtaPriority,
    Category::CtaReason,
    Category::CompanyStatus,
    Category::CompanyStage,
    Category::Segment,
    Category::Touch,
    Category::Sentiment,
    Category::RenewalStage,
    Category::Forecast,
    Category::Role,
    Category::TaskStatus,
];

/// Statuses from this place on are closing ones.
pub(super) const FIRST_CLOSED: u16 = 3;

impl Category {
    pub fn name(self) -> &'static str {
        match self {
            Category::CtaType => "CTA_TYPE",
            Category::CtaStatus => "CTA_STATUS",
            Category::CtaPriority => "CTA_PRIORITY",
            Category::CtaReason => "CTA_REASON",
            Category::CompanyStatus => "COMPANY_STATUS",
            Category::CompanyStage => "COMPANY_STAGE",
            Category::Segment => "SEGMENT",
            Category::Touch => "TOUCH_MODEL",
            Category::Sentiment => "CSM_SENTIMENT",
            Category::RenewalStage => "RENEWAL_STAGE",
            Category::Forecast => "RENEWAL_FORECAST",
            Category::Role => "PERSON_ROLE",
            Category::TaskStatus => "TASK_STATUS",
        }
    }

    pub fn items(self) -> &'static [&'static str] {
        match self {
            Category::CtaType => &["Risk", "Opportunity", "Lifecycle", "Activity"],
            Category::CtaStatus => &[
                "New",
                "Work In Progress",
                "Acknowledged",
                "Closed Success",
                "Closed Lost",
                "Closed Invalid",
            ],
            Category::CtaPriority => &["High", "Medium", "Low"],
            Category::CtaReason => &[
                "Low Adoption",
                "Value Not Met",
                "Product Defect",
                "Unresponsive",
                "Sponsor Change",
                "Budget",
                "Competitor",
                "Merger or Acquisition",
                "Habits Risk",
                "Bugs Risk",
                "Upsell",
                "Onboarding",
                "Other",
            ],
            Category::CompanyStatus => &["Active", "Inactive", "Churn"],
            Category::CompanyStage => &["Kicked Off", "Adopting", "Launched", "Churn"],
            Category::Segment => &["Enterprise", "Mid-Market", "SMB"],
            Category::Touch => &["High Touch", "Mid Touch", "Tech Touch"],
            Category::Sentiment => &["Red", "Yellow", "Green"],
            Category::RenewalStage => &[
                "Prospecting",
                "Discovery",
                "Proposal",
                "Negotiation",
                "Verbal Commit",
                "Closed Won",
                "Closed Lost",
            ],
            Category::Forecast => &["Omitted", "Pipeline", "Best Case", "Commit", "Closed"],
            Category::Role => &["Sponsor", "Champion", "Admin", "User", "Billing"],
            Category::TaskStatus => &["Open", "Completed"],
        }
    }

    pub fn by_category_name(name: &str) -> Option<Category> {
        ALL.into_iter().find(|category| {
            category.name().eq_ignore_ascii_case(name) || category_id(*category) == name
        })
    }
}

/// The id of a category, as a description gives it for `dropdowns/{categoryId}`.
pub(super) fn category_id(category: Category) -> String {
    ids::gainsight_id("1I01", category as u64)
}

/// The GSID of an item.
pub(super) fn gsid(category: Category, item: u16) -> String {
    ids::gainsight_id("1I00", category as u64 * 1000 + u64::from(item))
}

/// The item with this GSID, if it is one of the category.
pub(super) fn by_gsid(category: Category, text: &str) -> Option<u16> {
    let (prefix, number) = ids::gainsight_number(text)?;
    let item = number.checked_sub(category as u64 * 1000)?;
    (prefix == "1I00" && (item as usize) < category.items().len()).then_some(item as u16)
}

/// The item with this name.
pub(super) fn by_name(category: Category, name: &str) -> Option<u16> {
    category
        .items()
        .iter()
        .position(|item| item.eq_ignore_ascii_case(name.trim()))
        .map(|place| place as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_found_by_its_id_and_name_in_its_own_category_only() {
        for category in ALL {
            for (place, name) in category.items().iter().enumerate() {
                let id = gsid(category, place as u16);
                assert_eq!(by_gsid(category, &id), Some(place as u16));
                assert_eq!(by_name(category, name), Some(place as u16));
                assert_eq!(
                    ALL.into_iter()
                        .filter(|other| by_gsid(*other, &id).is_some())
                        .count(),
                    1
                );
            }
            assert_eq!(
                Category::by_category_name(&category_id(category)),
                Some(category)
            );
        }
        assert!(
            Category::CtaStatus.items()[FIRST_CLOSED as usize..]
                .iter()
                .all(|name| name.starts_with("Closed"))
        );
    }
}
