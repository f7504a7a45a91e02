//! The Salesforce org: built on the shared world.
