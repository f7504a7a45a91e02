//! The terminal: taken over by a guard that gives it back in every case (return, panic, signal), and a writer that counts.

use ratatui::crossterm::{
    cursor, event, execute,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
};
use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Whether the terminal is ours now; the panic hook asks.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether the extended keyboard protocol was switched on.
static EXTENDED: AtomicBool = AtomicBool::new(false);
/// Whether the mouse is listened to.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// The terminal is ours while this lives.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal: raw mode, the other screen, bracketed paste, the mouse if wanted. Nothing is asked of it, so nothing is waited
    /// for; the extended keyboard protocol is switched on blindly (terminals that do not know it ignore it) when `extended` is set.
    pub fn take(mouse: bool, extended: bool) -> io::Result<Guard> {
        hook();
        MOUSE.store(mouse, Ordering::Relaxed);
        EXTENDED.store(extended, Ordering::Relaxed);
        enter()?;
        Ok(Guard(()))
    }

    /// Gives it back for a while (ctrl-z, an external program).
    pub fn release(&self) {
        leave();
    }

    /// Takes it again.
    pub fn retake(&self) -> io::Result<()> {
        enter()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
    }
}

fn enter() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    execute!(
        out,
        EnterAlternateScreen,
        event::EnableBracketedPaste,
        cursor::Hide
    )?;
    if MOUSE.load(Ordering::Relaxed) {
        execute!(out, event::EnableMouseCapture)?;
    }
    if EXTENDED.load(Ordering::Relaxed) {
        execute!(
            out,
            event::PushKeyboardEnhancementFlags(
                event::KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES
            )
        )?;
    }
    out.flush()
}

/// Gives the terminal back. May be called at any time, also twice; errors mean that the terminal is gone, and then nothing is owed to it.
pub fn leave() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    if EXTENDED.load(Ordering::Relaxed) {
        let _ = execute!(out, event::PopKeyboardEnhancementFlags);
    }
    if MOUSE.load(Ordering::Relaxed) {
        let _ = execute!(out, event::DisableMouseCapture);
    }
    let _ = execute!(
        out,
        event::DisableBracketedPaste,
        cursor::Show,
        LeaveAlternateScreen
    );
    let _ = terminal::disable_raw_mode();
    let _ = out.flush();
}

/// A panic must not leave the terminal raw, nor be printed into the other screen.
fn hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            leave();
            before(info);
        }));
    });
}

/// Stops the program like ctrl-z would in a plain terminal, and returns when it goes on.
#[cfg(unix)]
pub fn stop() {
    // The stop that can be caught is caught by the event loop, so this is the one that cannot.
    // SAFETY: raising a signal on the own process group has no memory effects.
    unsafe {
        libc::kill(0, libc::SIGSTOP);
    }
}

/// Elsewhere there is nothing to stop into.
#[cfg(not(unix))]
pub fn stop() {}

/// Text for the clipboard by OSC 52, which also crosses ssh. The text is encoded, so nothing in it reaches the terminal as such.
pub fn copy(text: &str) {
    let _ = execute!(
        io::stdout(),
        ratatui::crossterm::clipboard::CopyToClipboard::to_clipboard_from(text)
    );
}

/// Opens an address in the browser, without a shell; the child is not waited for. Only http and https.
pub fn browse(url: &str) -> Result<(), String> {
    if !(url.starts_with("https://") || url.starts_with("http://"))
        || url.chars().any(char::is_control)
    {
        return Err(format!(
            "`{}` is not a web address",
            crate::book::text::visible(url)
        ));
    }
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let quiet = std::process::Stdio::null;
    std::process::Command::new(program)
        .arg(url)
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .spawn()
        .map(|mut child| {
            // Reaped elsewhere, so that no zombie stays.
            std::thread::spawn(move || child.wait());
        })
        .map_err(|e| format!("{program} could not be started ({e}); the address is {url}"))
}

/// A buffered writer that counts what passes: a frame goes out in one piece.
#[derive(Debug)]
pub struct Counting<W> {
    inner: W,
    buffer: Vec<u8>,
    bytes: std::sync::Arc<AtomicU64>,
}

impl<W> Counting<W> {
    /// Over a writer.
    pub fn new(inner: W) -> Counting<W> {
        Counting {
            inner,
            buffer: Vec::with_capacity(16 * 1024),
            bytes: std::sync::Arc::default(),
        }
    }
    /// The count of bytes so far.
    pub fn counter(&self) -> std::sync::Arc<AtomicU64> {
        self.bytes.clone()
    }
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(data);
        Ok(data.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.bytes
                .fetch_add(self.buffer.len() as u64, Ordering::Relaxed);
            self.inner.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        self.inner.flush()
    }
}
