//! Pieces that panes are made of: the [`table`] that builds only what it shows, the line [`chart`], the text [`editor`].

pub mod chart;
pub mod editor;
pub mod table;
