//! A terminal that a test can read and type at.

use super::{CSOPS, environment};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long a wait on content may last before it has failed. Generous: it is never the thing that is measured.
pub const PATIENCE: Duration = Duration::from_secs(60);

struct State {
    parser: vt100::Parser,
    bytes: usize,
    raw: Vec<u8>,
    closed: bool,
}

/// The program in a pseudo-terminal.
pub struct Terminal {
    state: Arc<(Mutex<State>, Condvar)>,
    writer: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    /// The program.
    pub child: Box<dyn Child + Send + Sync>,
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Terminal {
    /// Starts csops with those arguments.
    pub fn start(
        home: &Path,
        cols: u16,
        rows: u16,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Terminal {
        let pair = native_pty_system()
            .openpty(size(cols, rows))
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(CSOPS);
        command.env_clear();
        for (name, value) in environment(home) {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        for (name, value) in env {
            command.env(name, value);
        }
        command.args(args);
        command.cwd(home);
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the program starts");
        drop(pair.slave);
        let parser = vt100::Parser::new(
            rows.try_into().expect("rows"),
            cols.try_into().expect("columns"),
            0,
        );
        let state = Arc::new((
            Mutex::new(State {
                parser,
                bytes: 0,
                raw: Vec::new(),
                closed: false,
            }),
            Condvar::new(),
        ));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let mut buffer = [0u8; 65536];
            loop {
                let read = reader.read(&mut buffer).unwrap_or(0);
                let (lock, changed) = &*shared;
                let mut s = lock.lock().expect("the screen");
                if read == 0 {
                    s.closed = true;
                    changed.notify_all();
                    return;
                }
                s.bytes += read;
                s.raw.extend_from_slice(&buffer[..read]);
                s.parser.process(&buffer[..read]);
                changed.notify_all();
            }
        });
        let writer = pair.master.take_writer().expect("a writer");
        Terminal {
            state,
            writer,
            master: pair.master,
            child,
        }
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.state
            .0
            .lock()
            .expect("the screen")
            .parser
            .screen()
            .contents()
    }

    /// Every byte so far.
    pub fn raw(&self) -> Vec<u8> {
        self.state.0.lock().expect("the screen").raw.clone()
    }

    /// How many bytes so far.
    pub fn bytes(&self) -> usize {
        self.state.0.lock().expect("the screen").bytes
    }

    /// Waits until the screen is as wanted; panics with the screen when it never is.
    pub fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let (lock, changed) = &*self.state;
        let mut s = lock.lock().expect("the screen");
        let end = Instant::now() + PATIENCE;
        loop {
            let contents = s.parser.screen().contents();
            if wanted(&contents) {
                return contents;
            }
            let left = end.saturating_duration_since(Instant::now());
            if s.closed || left.is_zero() {
                let why = if s.closed {
                    "the program ended"
                } else {
                    "patience ran out"
                };
                panic!("waiting for {what}: {why}; the screen:\n{contents}");
            }
            s = changed.wait_timeout(s, left).expect("the screen").0;
        }
    }

    /// Waits until the screen holds that text.
    pub fn until_text(&self, text: &str) -> String {
        self.until(text, |s| s.contains(text))
    }

    /// Types, byte for byte.
    pub fn send(&mut self, text: &str) {
        self.writer
            .write_all(text.as_bytes())
            .expect("the terminal takes keys");
        self.writer.flush().expect("the terminal takes keys");
    }

    /// Another size.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.master.resize(size(cols, rows)).expect("a new size");
        if let (Ok(r), Ok(c)) = (rows.try_into(), cols.try_into()) {
            self.state
                .0
                .lock()
                .expect("the screen")
                .parser
                .screen_mut()
                .set_size(r, c);
        }
    }

    /// Waits for the program's end and gives its exit code.
    pub fn wait(&mut self) -> u32 {
        self.child.wait().expect("the program ends").exit_code()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(pid) = self.child.process_id() {
            // SAFETY: plain signal to a child that we started and have not waited for.
            unsafe { libc::kill(pid as i32, libc::SIGKILL) };
        }
        let _ = self.child.wait();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
