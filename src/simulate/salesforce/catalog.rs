//! The objects of the simulated org: Salesforce's standard ones as far as Customer Success uses them, and a tenant's own
//! fields and objects. Names, types and pick lists are those of a new org in English with several currencies.

use super::schema::{Field, Kind, Object, Schema, field, object};

/// The currencies that a record can be in.
pub const CURRENCIES: &[&str] = &["USD", "EUR", "GBP", "SEK", "JPY", "BRL"];

/// Stage, probability in percent, forecast category's name, closed, won.
pub const STAGES: &[(&str, u8, &str, bool, bool)] = &[
    ("Prospecting", 10, "Pipeline", false, false),
    ("Discovery", 25, "Pipeline", false, false),
    ("Proposal/Price Quote", 60, "Best Case", false, false),
    ("Negotiation/Review", 80, "Commit", false, false),
    ("Verbal Commit", 90, "Commit", false, false),
    ("Closed Won", 100, "Closed", true, true),
    ("Closed Lost", 0, "Omitted", true, false),
];

/// A forecast category's name and its API value.
pub const FORECASTS: &[(&str, &str)] = &[
    ("Omitted", "Omitted"),
    ("Pipeline", "Pipeline"),
    ("Best Case", "BestCase"),
    ("Commit", "Forecast"),
    ("Closed", "Closed"),
];

pub const TASK_STATUSES: &[&str] = &[
    "Not Started",
    "In Progress",
    "Completed",
    "Waiting on someone else",
    "Deferred",
];
pub const CASE_STATUSES: &[&str] = &[
    "New",
    "Working",
    "Waiting on Customer",
    "Escalated",
    "Closed",
];
pub const CASE_PRIORITIES: &[&str] = &["Low", "Medium", "High", "Critical"];

/// The objects that one can look up by `What`.
const WHAT: &[&str] = &["Account", "Opportunity", "Case", "Contract"];
const OWNER: &[&str] = &["User"];
const OWNER_OR_QUEUE: &[&str] = &["Group", "User"];

fn text(name: &'static str, length: u32) -> Field {
    field(name, Kind::Text).len(length)
}

fn currency_code() -> Field {
    field("CurrencyIsoCode", Kind::Picklist)
        .len(3)
        .picks(CURRENCIES)
        .only()
        .or("USD")
        .label("Currency")
}

fn owner(refs: &'static [&'static str]) -> Field {
    field("OwnerId", Kind::Reference)
        .to(refs, "Owner")
        .required()
        .or("@me")
}

fn external_key() -> Field {
    text("External_Key__c", 80).key()
}

fn account_lookup(back: &'static str) -> Field {
    field("AccountId", Kind::Reference)
        .to(&["Account"], "Account")
        .back(back)
}

/// The whole org. `rates`: how many units of a currency are one US dollar, the corporate currency.
pub fn schema(rates: Vec<(&'static str, f64)>) -> Schema {
    Schema::new(
        rates,
        vec![
            account(),
            contact(),
            opportunity(),
            opportunity_stage(),
            task(),
            event(),
            case(),
            case_comment(),
            user(),
            group(),
            currency_type(),
            contract(),
            record_type(),
            organization(),
            survey_response(),
            usage_snapshot(),
        ],
    )
}

fn account() -> Object {
    object("Account", "Account", "Accounts", "001").with(vec![
        text("Name", 255).required().named().label("Account Name"),
        field("MasterRecordId", Kind::Reference)
            .to(&["Account"], "MasterRecord")
            .read_only(),
        field("Type", Kind::Picklist).picks(&[
            "Prospect",
            "Customer - Direct",
            "Customer - Channel",
            "Former Customer",
            "Other",
        ]),
        field("ParentId", Kind::Reference)
            .to(&["Account"], "Parent")
            .back("ChildAccounts"),
        field("BillingStreet", Kind::TextArea),
        text("BillingCity", 40),
        text("BillingState", 80),
        text("BillingPostalCode", 20),
        text("BillingCountry", 80),
        field("Phone", Kind::Phone),
        field("Website", Kind::Url),
        field("Industry", Kind::Picklist).picks(&[
            "Banking",
            "Biotechnology",
            "Construction",
            "Education",
            "Energy",
            "Finance",
            "Government",
            "Healthcare",
            "Hospitality",
            "Insurance",
            "Logistics",
            "Manufacturing",
            "Media",
            "Retail",
            "Technology",
            "Telecommunications",
            "Transportation",
        ]),
        field("AnnualRevenue", Kind::Currency).scale(0),
        field("NumberOfEmployees", Kind::Int)
            .len(8)
            .label("Employees"),
        field("Description", Kind::LongText),
        currency_code(),
        owner(OWNER),
        field("Rating", Kind::Picklist).picks(&["Hot", "Warm", "Cold"]),
        field("AccountNumber", Kind::Text).len(40),
        text("AccountSource", 40),
        field("LastActivityDate", Kind::Date).read_only(),
        field("CSM__c", Kind::Reference)
            .to(OWNER, "CSM__r")
            .back("Accounts_as_CSM__r")
            .label("CSM"),
        field("Segment__c", Kind::Picklist)
            .picks(&["Enterprise", "Mid-Market", "SMB"])
            .only(),
        field("Touch__c", Kind::Picklist)
            .picks(&["High", "Mid", "Tech"])
            .only(),
        field("Lifecycle_Stage__c", Kind::Picklist)
            .picks(&["Onboarding", "Adopting", "Mature", "Churned"])
            .only(),
        field("Region__c", Kind::Picklist)
            .picks(&["AMER", "EMEA", "APAC", "LATAM"])
            .only(),
        field("ARR__c", Kind::Currency).label("ARR"),
        field("Renewal_Date__c", Kind::Date),
        field("Customer_Since__c", Kind::Date),
        field("Health__c", Kind::Double)
            .len(3)
            .label("Health Score"),
        field("Health_Status__c", Kind::Picklist)
            .picks(&["Green", "Yellow", "Red"])
            .formula(),
        field("Sentiment__c", Kind::Picklist)
            .picks(&["Positive", "Neutral", "Negative"])
            .only(),
        field("Seats__c", Kind::Int),
        field("Products__c", Kind::MultiPicklist).picks(&[
            "Core",
            "Analytics",
            "Automation",
            "Integrations",
        ]),
        field("Snoozed_Until__c", Kind::Date),
        text("External_Id__c", 80).key().label("External ID"),
    ])
}

fn contact() -> Object {
    object("Contact", "Contact", "Contacts", "003").with(vec![
        text("Name", 121)
            .named()
            .read_only()
            .required()
            .label("Full Name"),
        field("MasterRecordId", Kind::Reference)
            .to(&["Contact"], "MasterRecord")
            .read_only(),
        account_lookup("Contacts"),
        text("LastName", 80).required(),
        text("FirstName", 40),
        field("Salutation", Kind::Picklist)
            .len(40)
            .picks(&["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."]),
        text("Title", 128),
        text("Department", 80),
        field("Email", Kind::Email),
        field("Phone", Kind::Phone),
        field("MobilePhone", Kind::Phone),
        field("ReportsToId", Kind::Reference).to(&["Contact"], "ReportsTo"),
        field("Description", Kind::LongText),
        field("HasOptedOutOfEmail", Kind::Bool).label("Email Opt Out"),
        currency_code(),
        owner(OWNER),
        field("LastActivityDate", Kind::Date).read_only(),
        field("Role__c", Kind::Picklist)
            .picks(&["Executive Sponsor", "Champion", "Admin", "User", "Billing"])
            .only(),
        field("Primary__c", Kind::Bool),
        field("Left_Company_On__c", Kind::Date),
        text("External_Id__c", 80).key().label("External ID"),
    ])
}

fn opportunity() -> Object {
    object("Opportunity", "Opportunity", "Opportunities", "006").with(vec![
        text("Name", 120).required().named(),
        account_lookup("Opportunities"),
        field("Description", Kind::LongText),
        field("StageName", Kind::Picklist)
            .required()
            .picks(&STAGES.iter().map(|stage| stage.0).collect::<Vec<_>>())
            .only()
            .label("Stage"),
        field("Amount", Kind::Currency),
        field("Probability", Kind::Percent),
        field("ExpectedRevenue", Kind::Currency).formula(),
        field("CloseDate", Kind::Date).required(),
        field("Type", Kind::Picklist).picks(&["New Business", "Renewal", "Expansion"]),
        text("NextStep", 255),
        field("LeadSource", Kind::Picklist).picks(&[
            "Web",
            "Phone Inquiry",
            "Partner Referral",
            "Other",
        ]),
        field("IsClosed", Kind::Bool).formula(),
        field("IsWon", Kind::Bool).formula(),
        field("ForecastCategory", Kind::Picklist)
            .len(40)
            .picks(
                &FORECASTS
                    .iter()
                    .map(|forecast| forecast.1)
                    .collect::<Vec<_>>(),
            )
            .required()
            .read_only(),
        field("ForecastCategoryName", Kind::Picklist)
            .picks(
                &FORECASTS
                    .iter()
                    .map(|forecast| forecast.0)
                    .collect::<Vec<_>>(),
            )
            .only()
            .label("Forecast Category"),
        currency_code(),
        field("FiscalQuarter", Kind::Int).len(1).formula(),
        field("FiscalYear", Kind::Int).len(4).formula(),
        text("Fiscal", 6).formula(),
        owner(OWNER),
        field("ContractId", Kind::Reference)
            .to(&["Contract"], "Contract")
            .back("Opportunities"),
        field("LastActivityDate", Kind::Date).read_only(),
        field("LastStageChangeDate", Kind::DateTime).read_only(),
        field("Renewal_Target__c", Kind::Currency),
        field("Original_Close_Date__c", Kind::Date),
        field("Notice_Date__c", Kind::Date),
        field("Closed_On__c", Kind::Date),
        field("Loss_Reason__c", Kind::Picklist)
            .picks(&[
                "Low Adoption",
                "Value Not Met",
                "Product Defect",
                "Unresponsive",
                "Sponsor Change",
                "Budget",
                "Competitor",
                "Merger or Acquisition",
            ])
            .only(),
        external_key(),
    ])
}

fn opportunity_stage() -> Object {
    object(
        "OpportunityStage",
        "Opportunity Stage",
        "Opportunity Stages",
        "01J",
    )
    .with(vec![
        text("MasterLabel", 255).required().named(),
        text("ApiName", 255).required(),
        field("IsActive", Kind::Bool),
        field("SortOrder", Kind::Int),
        field("IsClosed", Kind::Bool),
        field("IsWon", Kind::Bool),
        field("ForecastCategory", Kind::Picklist).picks(
            &FORECASTS
                .iter()
                .map(|forecast| forecast.1)
                .collect::<Vec<_>>(),
        ),
        field("ForecastCategoryName", Kind::Picklist).picks(
            &FORECASTS
                .iter()
                .map(|forecast| forecast.0)
                .collect::<Vec<_>>(),
        ),
        field("DefaultProbability", Kind::Percent),
        text("Description", 255),
    ])
    .read_only()
}

fn activity_fields(relation: &'static str) -> Vec<Field> {
    vec![
        field("WhoId", Kind::Reference)
            .to(&["Contact", "Lead"], "Who")
            .back(relation)
            .label("Name ID"),
        field("WhatId", Kind::Reference)
            .to(WHAT, "What")
            .back(relation)
            .label("Related To ID"),
        field("Subject", Kind::Combobox)
            .picks(&["Call", "Email", "Send Letter", "Send Quote", "Other"])
            .named(),
        field("Description", Kind::LongText).label("Comments"),
        field("AccountId", Kind::Reference)
            .to(&["Account"], "Account")
            .read_only(),
        owner(OWNER_OR_QUEUE).label("Assigned To ID"),
        currency_code(),
    ]
}

fn task() -> Object {
    object("Task", "Task", "Tasks", "00T")
        .with(activity_fields("Tasks"))
        .with(vec![
            field("ActivityDate", Kind::Date).label("Due Date Only"),
            field("Status", Kind::Picklist)
                .required()
                .picks(TASK_STATUSES)
                .or("Not Started"),
            field("Priority", Kind::Picklist)
                .required()
                .picks(&["High", "Normal", "Low"])
                .or("Normal"),
            field("IsHighPriority", Kind::Bool).formula(),
            field("IsClosed", Kind::Bool).formula(),
            field("IsArchived", Kind::Bool).read_only(),
            field("Type", Kind::Picklist).picks(&["Call", "Email", "Meeting", "Other"]),
            field("TaskSubtype", Kind::Picklist)
                .len(40)
                .picks(&["Task", "Email", "List Email", "Call", "Cadence"])
                .only()
                .or("Task"),
            field("CompletedDateTime", Kind::DateTime).read_only(),
            field("CallDurationInSeconds", Kind::Int),
            field("CallType", Kind::Picklist)
                .len(40)
                .picks(&["Internal", "Inbound", "Outbound"]),
            text("CallDisposition", 255),
            field("IsReminderSet", Kind::Bool),
            field("ReminderDateTime", Kind::DateTime),
            external_key(),
        ])
}

fn event() -> Object {
    object("Event", "Event", "Events", "00U")
        .with(activity_fields("Events"))
        .with(vec![
            text("Location", 255),
            field("IsAllDayEvent", Kind::Bool),
            field("ActivityDateTime", Kind::DateTime),
            field("ActivityDate", Kind::Date),
            field("DurationInMinutes", Kind::Int),
            field("StartDateTime", Kind::DateTime),
            field("EndDateTime", Kind::DateTime),
            field("IsPrivate", Kind::Bool),
            field("ShowAs", Kind::Picklist)
                .len(40)
                .picks(&["Busy", "OutOfOffice", "Free"])
                .or("Busy"),
            field("Type", Kind::Picklist).picks(&["Call", "Email", "Meeting", "Review", "Other"]),
            field("EventSubtype", Kind::Picklist)
                .len(40)
                .picks(&["Event"])
                .or("Event"),
            external_key(),
        ])
}

fn case() -> Object {
    object("Case", "Case", "Cases", "500").with(vec![
        text("CaseNumber", 30).named().fixed().auto(),
        field("ContactId", Kind::Reference)
            .to(&["Contact"], "Contact")
            .back("Cases"),
        account_lookup("Cases"),
        field("ParentId", Kind::Reference)
            .to(&["Case"], "Parent")
            .back("Cases"),
        text("SuppliedName", 80),
        field("SuppliedEmail", Kind::Email),
        field("Type", Kind::Picklist).picks(&[
            "Problem",
            "Question",
            "Feature Request",
            "Escalation",
        ]),
        field("Status", Kind::Picklist)
            .required()
            .picks(CASE_STATUSES)
            .or("New"),
        field("Reason", Kind::Picklist).picks(&[
            "User didn't attend training",
            "Complex functionality",
            "Existing problem",
            "Other",
        ]),
        field("Origin", Kind::Picklist).picks(&["Phone", "Email", "Web", "Chat"]),
        text("Subject", 255),
        field("Priority", Kind::Picklist)
            .picks(CASE_PRIORITIES)
            .or("Medium"),
        field("Description", Kind::LongText),
        field("IsClosed", Kind::Bool).formula(),
        field("ClosedDate", Kind::DateTime).read_only(),
        field("IsEscalated", Kind::Bool).label("Escalated"),
        field("Comments", Kind::LongText)
            .len(4_000)
            .label("Internal Comments"),
        currency_code(),
        owner(OWNER_OR_QUEUE),
        external_key(),
    ])
}

fn case_comment() -> Object {
    object("CaseComment", "Case Comment", "Case Comments", "00a").with(vec![
        field("ParentId", Kind::Reference)
            .to(&["Case"], "Parent")
            .back("CaseComments")
            .required(),
        field("IsPublished", Kind::Bool),
        field("CommentBody", Kind::LongText)
            .len(4_000)
            .label("Body"),
    ])
}

fn user() -> Object {
    object("User", "User", "Users", "005")
        .with(vec![
            field("Username", Kind::Text).len(80).required(),
            text("LastName", 80).required(),
            text("FirstName", 40),
            text("Name", 121).required().named().label("Full Name"),
            text("CompanyName", 80),
            text("Title", 80),
            text("Department", 80),
            field("Email", Kind::Email).required(),
            text("Alias", 8).required(),
            field("IsActive", Kind::Bool).label("Active"),
            text("UserType", 40),
            text("TimeZoneSidKey", 40).required(),
            text("LocaleSidKey", 40).required(),
            text("LanguageLocaleKey", 40),
            field("ManagerId", Kind::Reference)
                .to(OWNER, "Manager")
                .back("ManagedUsers"),
            field("DefaultCurrencyIsoCode", Kind::Picklist)
                .len(3)
                .picks(CURRENCIES),
            text("FederationIdentifier", 512),
            text("Region__c", 10),
        ])
        .read_only()
}

fn group() -> Object {
    object("Group", "Group", "Groups", "00G")
        .with(vec![
            text("Name", 40).required().named(),
            text("DeveloperName", 80),
            field("Type", Kind::Picklist)
                .len(40)
                .picks(&["Regular", "Queue", "Organization"])
                .required(),
            field("Email", Kind::Email),
        ])
        .read_only()
}

fn currency_type() -> Object {
    object("CurrencyType", "Currency Type", "Currency Types", "01L")
        .with(vec![
            field("IsoCode", Kind::Picklist)
                .len(3)
                .picks(CURRENCIES)
                .required(),
            field("ConversionRate", Kind::Double).scale(6).required(),
            field("DecimalPlaces", Kind::Int).len(1).required(),
            field("IsActive", Kind::Bool),
            field("IsCorporate", Kind::Bool),
        ])
        .read_only()
}

fn contract() -> Object {
    object("Contract", "Contract", "Contracts", "800").with(vec![
        field("AccountId", Kind::Reference)
            .to(&["Account"], "Account")
            .back("Contracts")
            .required(),
        text("ContractNumber", 30).named().fixed().auto(),
        field("Status", Kind::Picklist)
            .len(40)
            .picks(&["Draft", "In Approval Process", "Activated"])
            .required()
            .or("Draft"),
        field("StartDate", Kind::Date),
        field("EndDate", Kind::Date),
        field("ContractTerm", Kind::Int).len(4),
        field("OwnerExpirationNotice", Kind::Picklist)
            .len(40)
            .picks(&["15", "30", "45", "60", "90", "120"]),
        currency_code(),
        owner(OWNER),
        field("Annual_Value__c", Kind::Currency),
        field("Auto_Renew__c", Kind::Bool),
        field("Notice_Days__c", Kind::Int),
    ])
}

fn record_type() -> Object {
    object("RecordType", "Record Type", "Record Types", "012")
        .with(vec![
            text("Name", 80).required().named(),
            text("DeveloperName", 80).required(),
            text("SobjectType", 40).required(),
            field("IsActive", Kind::Bool),
        ])
        .read_only()
}

fn organization() -> Object {
    object("Organization", "Organization", "Organizations", "00D")
        .with(vec![
            text("Name", 80).required().named(),
            text("InstanceName", 5),
            text("OrganizationType", 40),
            field("IsSandbox", Kind::Bool),
            text("TimeZoneSidKey", 40),
            text("DefaultLocaleSidKey", 40),
            text("LanguageLocaleKey", 40),
            field("FiscalYearStartMonth", Kind::Int).len(2),
            text("NamespacePrefix", 15),
            text("Country", 80),
        ])
        .read_only()
}

fn survey_response() -> Object {
    object(
        "Survey_Response__c",
        "Survey Response",
        "Survey Responses",
        "a00",
    )
    .with(vec![
        text("Name", 80)
            .named()
            .fixed()
            .auto()
            .label("Response Number"),
        field("Account__c", Kind::Reference)
            .to(&["Account"], "Account__r")
            .back("Survey_Responses__r")
            .required(),
        field("Contact__c", Kind::Reference)
            .to(&["Contact"], "Contact__r")
            .back("Survey_Responses__r"),
        field("Score__c", Kind::Double).len(2).required(),
        field("Comment__c", Kind::LongText),
        field("Responded_At__c", Kind::DateTime),
        owner(OWNER),
        currency_code(),
    ])
}

fn usage_snapshot() -> Object {
    object(
        "Usage_Snapshot__c",
        "Usage Snapshot",
        "Usage Snapshots",
        "a01",
    )
    .with(vec![
        text("Name", 80)
            .named()
            .fixed()
            .auto()
            .label("Snapshot Number"),
        field("Account__c", Kind::Reference)
            .to(&["Account"], "Account__r")
            .back("Usage_Snapshots__r")
            .required(),
        field("Week__c", Kind::Date).required(),
        field("Active_Users__c", Kind::Int),
        field("Seats__c", Kind::Int),
        field("Logins__c", Kind::Int),
        field("Adoption__c", Kind::Percent),
        field("Health_Score__c", Kind::Double).len(3),
        owner(OWNER),
        currency_code(),
    ])
}
