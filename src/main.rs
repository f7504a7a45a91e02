//! The program's entry: everything lives in the library, see `csops::cli`.

fn main() -> std::process::ExitCode {
    csops::cli::main()
}
