//! What is drawn, held cell by cell; how much is built and sent for it; what keys do.

mod fixture;
mod keys;
mod looks;
mod metrics;
mod whys;
