//! The terminal: taken over by a guard that gives it back in every case (return, panic, signal), and a writer that counts.

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::crossterm::{
    cursor, event, execute,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
};
use ratatui::layout::{Position, Size};
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

/// A backend that puts the cursor where it belongs after every cell whose width terminals may see differently (a letter with marks that
/// take room, as in Indic scripts), and clears its place before: one name cannot move the rest of the line.
#[derive(Debug)]
pub struct Steady<B> {
    /// What it draws with.
    pub inner: B,
}

impl<B: Backend> Backend for Steady<B> {
    type Error = B::Error;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), B::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let blank = Cell::new(" ");
        let mut run: Vec<(u16, u16, &'a Cell)> = Vec::new();
        for (x, y, cell) in content {
            // One character alone has the same width everywhere, near enough.
            let mut chars = cell.symbol().chars();
            let (first, more) = (chars.next(), chars.next().is_some());
            if first.is_none() || !more {
                run.push((x, y, cell));
                continue;
            }
            self.inner.draw(run.drain(..))?;
            let width = super::text::width(cell.symbol()).max(1) as u16;
            let mut space = blank.clone();
            space.set_style(cell.style());
            self.inner
                .draw((x..x.saturating_add(width)).map(|x| (x, y, &space)))?;
            // A run that begins anew begins with a move of the cursor.
            self.inner.draw(std::iter::once((x, y, cell)))?;
        }
        self.inner.draw(run.into_iter())
    }
    fn append_lines(&mut self, n: u16) -> Result<(), B::Error> {
        self.inner.append_lines(n)
    }
    fn hide_cursor(&mut self) -> Result<(), B::Error> {
        self.inner.hide_cursor()
    }
    fn show_cursor(&mut self) -> Result<(), B::Error> {
        self.inner.show_cursor()
    }
    fn get_cursor_position(&mut self) -> Result<Position, B::Error> {
        self.inner.get_cursor_position()
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), B::Error> {
        self.inner.set_cursor_position(position)
    }
    fn clear(&mut self) -> Result<(), B::Error> {
        self.inner.clear()
    }
    fn clear_region(&mut self, what: ClearType) -> Result<(), B::Error> {
        self.inner.clear_region(what)
    }
    fn size(&self) -> Result<Size, B::Error> {
        self.inner.size()
    }
    fn window_size(&mut self) -> Result<WindowSize, B::Error> {
        self.inner.window_size()
    }
    fn flush(&mut self) -> Result<(), B::Error> {
        self.inner.flush()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::backend::CrosstermBackend;

    #[test]
    fn after_a_letter_with_marks_the_cursor_is_put_where_it_belongs() {
        let mut out = Vec::new();
        let mut screen = Steady {
            inner: CrosstermBackend::new(&mut out),
        };
        let cells: Vec<Cell> = ["a", "\u{930}\u{93f}", "", "b"]
            .iter()
            .map(|s| {
                let mut c = Cell::default();
                c.set_symbol(if s.is_empty() { " " } else { s });
                c
            })
            .collect();
        // The second half of a wide letter is never drawn.
        let content = [(0, 0, &cells[0]), (1, 0, &cells[1]), (3, 0, &cells[3])];
        screen.draw(content.into_iter()).expect("a frame");
        let shown = String::from_utf8(out).expect("text");
        let letter = shown.find('\u{930}').expect("the letter");
        assert!(shown[..letter].ends_with("\u{1b}[1;2H"), "{shown:?}");
        assert!(shown[letter..].contains("\u{1b}[1;4H"), "{shown:?}");
    }
}
