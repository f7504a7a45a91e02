//! Connectors as data: a manifest says how to log in, what to fetch, how to page, what changed, which field means what, and what may be written.
//!
//! Enter through [`Library`], which holds the built-in manifests and the user's own, and [`ManifestConnector::open`]. [`load()`] checks one file,
//! [`preview()`] says which requests it would make. The language is in [`schema`]; people read `docs/connectors.md`.

mod connector;
mod describe;
mod fetch;
mod load;
mod map;
pub mod object;
mod path;
mod preview;
mod read;
pub mod request;
pub mod schema;
pub mod stream;
mod template;
#[cfg(test)]
mod tests;
mod write;

pub(super) use connector::intern;
pub use connector::{FieldInfo, ManifestConnector};
pub use load::{Library, load};
pub use preview::preview;
pub use template::soql;
