//! The event loop: drains what came in, draws when something changed, at most every few milliseconds, and gives the terminal back.

use super::app::{App, Ask};
use super::draw;
use super::term::{self, Counting, Guard, Steady};
use super::theme::{Depth, Themes};
use crate::book::{Clock, LocalId, OutboxState};
use crate::cockpit::keymap::Keymap;
use crate::cockpit::{Cockpit, CommandError, Level, Outcome};
use crate::command::{Command, Screen, Selection};
use futures_util::StreamExt;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::EventStream;
use ratatui::crossterm::{queue, terminal};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{broadcast::error::RecvError, mpsc};

/// How the cockpit is opened.
pub struct Options {
    /// The theme's name.
    pub theme: String,
    /// Where the user's own themes lie.
    pub themes: Option<PathBuf>,
    /// Listen to the mouse.
    pub mouse: bool,
    /// Switch the extended keyboard protocol on.
    pub extended_keys: bool,
    /// The screen that opens first, 0 to 6.
    pub screen: u8,
    /// Begin with the book of `[me]` only, where it is known.
    pub mine: bool,
    /// The keys.
    pub keymap: Arc<Keymap>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Frames are at least this far apart: quicker than a screen shows them, slow enough that a held key costs no frame per repeat.
const FRAME: Duration = Duration::from_millis(8);
/// How long leaving may take before it says what it waits for.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often ages are looked at while nothing moves.
const IDLE: Duration = Duration::from_secs(10);
/// How often while something counts down.
const COUNTDOWN: Duration = Duration::from_secs(1);

/// What came of something that the cockpit was asked for.
enum Answer {
    Ran(Box<Ran>),
    Web(Result<String, CommandError>),
}

/// A command that the cockpit ran.
struct Ran {
    command: Command,
    selection: Selection,
    draft: Option<(LocalId, String)>,
    result: Result<Outcome, CommandError>,
}

type Screenful = Terminal<Steady<CrosstermBackend<Counting<io::Stdout>>>>;

/// Runs the cockpit in the terminal until the person leaves, a signal comes, or the terminal goes away. What waits to be sent is handed
/// over before it returns.
///
/// # Errors
/// When standard input or output is no terminal, or the terminal cannot be taken over.
pub async fn run(cockpit: Cockpit, options: Options) -> io::Result<()> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(io::Error::other(
            "the cockpit needs a terminal; `csops list`, `show` and `status` print to a pipe",
        ));
    }
    let depth = Depth::detect(|name| std::env::var(name).ok());
    let themes = Themes::load(options.themes.as_deref(), depth);
    let mut events = cockpit.events();
    let mut app = App::new(
        cockpit.clone(),
        options.clock,
        options.keymap,
        themes,
        &options.theme,
    );
    if let Some(screen) = Screen::ALL.get(usize::from(options.screen)).copied()
        && screen != Screen::Home
    {
        app.goto(screen);
    }
    if options.mine && app.snap.me.person.is_some() {
        app.mine = true;
        app.ask_views();
    }
    // Before the people are known it waits for them; afterwards the choice is the person's.
    let wants_mine = options.mine && !app.mine;
    let guard = Guard::take(options.mouse, options.extended_keys)?;
    let mut screen = Terminal::new(Steady {
        inner: CrosstermBackend::new(Counting::new(io::stdout())),
    })?;
    let result = events_loop(
        &mut app,
        &cockpit,
        &guard,
        &mut screen,
        &mut events,
        wants_mine,
    )
    .await;
    drop(screen);
    // Given back before what waits is handed over: the person has the shell again at once.
    drop(guard);
    cockpit.mark_seen();
    let closing = cockpit.close();
    tokio::pin!(closing);
    // Nothing is lost without it, but a shell that stays silent looks stuck.
    if tokio::time::timeout(PATIENCE, &mut closing).await.is_err() {
        // The terminal may be gone.
        let _ = writeln!(io::stderr(), "csops: handing over what waits to be sent …");
        closing.await;
    }
    match result {
        // A terminal that closed is a way of leaving.
        Err(e) if gone(&e) => Ok(()),
        other => other,
    }
}

fn gone(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof | io::ErrorKind::NotConnected
    ) || e.raw_os_error() == Some(5)
}

async fn events_loop(
    app: &mut App,
    cockpit: &Cockpit,
    guard: &Guard,
    screen: &mut Screenful,
    events: &mut tokio::sync::broadcast::Receiver<crate::cockpit::Event>,
    mut wants_mine: bool,
) -> io::Result<()> {
    let (answers, mut answered) = mpsc::unbounded_channel::<Answer>();
    let mut signals = Signals::new()?;
    // The first frame needs nothing from the terminal and waits for nothing.
    frame(app, screen)?;
    let mut drawn = Instant::now();
    let mut keys = EventStream::new();
    loop {
        let wait = if counting_down(app) { COUNTDOWN } else { IDLE };
        // A frame that is due waits only for what the frame before it still owes.
        let due = if app.dirty {
            FRAME.saturating_sub(drawn.elapsed())
        } else {
            wait
        };
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::End => return Ok(()),
                Signal::Stop => suspend(app, guard, screen)?,
                Signal::GoOn => resume(app, guard, screen)?,
            },
            key = keys.next() => match key {
                Some(Ok(event)) => app.input(&event),
                Some(Err(e)) => return Err(e),
                None => return Ok(()),
            },
            event = events.recv() => match event {
                Ok(event) => {
                    app.event(&event);
                    if wants_mine && app.snap.me.person.is_some() {
                        wants_mine = false;
                        if !app.mine {
                            app.mine = true;
                            app.ask_views();
                        }
                    }
                }
                // Missed some: the snapshot has everything.
                Err(RecvError::Lagged(_)) => app.refresh(),
                Err(RecvError::Closed) => return Ok(()),
            },
            Some(answer) = answered.recv() => hear(app, answer),
            () = tokio::time::sleep(due) => {
                if app.dirty || ages_changed(app, wait) {
                    frame(app, screen)?;
                    drawn = Instant::now();
                }
            },
        }
        for ask in std::mem::take(&mut app.asks) {
            match ask {
                Ask::Quit => return Ok(()),
                Ask::Suspend => suspend(app, guard, screen)?,
                Ask::Redraw => {
                    screen.clear()?;
                    app.dirty = true;
                }
                Ask::Copy(text) => term::copy(&text),
                Ask::Web(target) => {
                    let (cockpit, answers) = (cockpit.clone(), answers.clone());
                    tokio::spawn(async move {
                        let _ = answers.send(Answer::Web(cockpit.web_url(target).await));
                    });
                }
                Ask::Run {
                    command,
                    selection,
                    confirmed,
                    draft,
                } => {
                    app.busy += 1;
                    let (cockpit, answers) = (cockpit.clone(), answers.clone());
                    tokio::spawn(async move {
                        let result = cockpit
                            .run(command.clone(), selection.clone(), confirmed)
                            .await;
                        let _ = answers.send(Answer::Ran(Box::new(Ran {
                            command,
                            selection,
                            draft,
                            result,
                        })));
                    });
                }
            }
        }
    }
}

fn hear(app: &mut App, answer: Answer) {
    match answer {
        Answer::Ran(ran) => {
            app.busy = app.busy.saturating_sub(1);
            app.done(ran.command, ran.selection, ran.draft, ran.result);
        }
        Answer::Web(Ok(url)) => match term::browse(&url) {
            Ok(()) => app.say(Level::Info, format!("opening {url}")),
            Err(e) => app.say(Level::Bad, e),
        },
        Answer::Web(Err(e)) => app.say(Level::Bad, e.to_string()),
    }
}

/// Something on the screen counts seconds.
fn counting_down(app: &App) -> bool {
    app.snap
        .outbox
        .iter()
        .any(|i| matches!(i.state, OutboxState::Waiting | OutboxState::Sending))
        || app.snap.loading.is_some()
}

/// Ages on the screen are others than when it was drawn: always while something counts down; else once a minute of the clock is enough
/// for every age but the freshest.
fn ages_changed(app: &App, wait: Duration) -> bool {
    wait == COUNTDOWN || !app.snap.sources.is_empty()
}

/// One frame, in one piece: terminals that know synchronized output show it at once.
fn frame(app: &mut App, screen: &mut Screenful) -> io::Result<()> {
    queue!(
        screen.backend_mut().inner,
        terminal::BeginSynchronizedUpdate
    )?;
    screen.draw(|f| draw::draw(app, f.buffer_mut()))?;
    queue!(screen.backend_mut().inner, terminal::EndSynchronizedUpdate)?;
    Write::flush(&mut screen.backend_mut().inner)
}

fn suspend(app: &mut App, guard: &Guard, screen: &mut Screenful) -> io::Result<()> {
    guard.release();
    term::stop();
    resume(app, guard, screen)
}

/// Takes the terminal again after a stop, and draws everything anew.
fn resume(app: &mut App, guard: &Guard, screen: &mut Screenful) -> io::Result<()> {
    guard.retake()?;
    screen.clear()?;
    app.refresh();
    Ok(())
}

enum Signal {
    /// Leave.
    End,
    /// Asked from outside to stop like ctrl-z.
    Stop,
    /// Going on after a stop.
    GoOn,
}

#[cfg(unix)]
struct Signals {
    term: tokio::signal::unix::Signal,
    hup: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
    stop: tokio::signal::unix::Signal,
    cont: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
            cont: signal(SignalKind::from_raw(libc::SIGCONT))?,
        })
    }
    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => Signal::End,
            _ = self.hup.recv() => Signal::End,
            _ = self.int.recv() => Signal::End,
            _ = self.stop.recv() => Signal::Stop,
            _ = self.cont.recv() => Signal::GoOn,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals)
    }
    async fn next(&mut self) -> Signal {
        std::future::pending().await
    }
}
