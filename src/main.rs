//! The program's entry: everything lives in the library, see `csops::cli`.

fn main() {}
