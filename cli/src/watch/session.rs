//! A terminal from the first picture to the last.

use crate::clock::now_ms;
use crate::envoy::poll::Polled;
use crate::failure::Failure;
use crate::live::model::Live;
use crate::watch::screen::Screen;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// The picture is drawn at least so often.
const REDRAW: Duration = Duration::from_secs(1);
/// And not more often for what Envoys show: those of several come in one after the other.
const GATHER: Duration = Duration::from_millis(100);
const PAGE: u16 = 10;

/// What comes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pressed {
    Quit,
    Redraw,
    Nothing,
}

/// Shows what is live until the user quits or a signal comes. The terminal is as before then, after a panic too.
///
/// # Errors
/// Where the terminal does not answer.
pub fn run(live: &mut Live, polls: &Receiver<Polled>, screen: &mut Screen) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::usage(format!("the terminal: {error}"));
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
    let mut terminal = ratatui::try_init().map_err(failed)?;
    let end = until_quit(&mut terminal, live, polls, screen, &mut signals);
    ratatui::restore();
    end.map_err(failed)
}

fn until_quit(
    terminal: &mut DefaultTerminal,
    live: &mut Live,
    polls: &Receiver<Polled>,
    screen: &mut Screen,
    signals: &mut Signals,
) -> io::Result<()> {
    let mut is_new = true;
    let mut drawn = Instant::now();
    while signals.pending().next().is_none() {
        if is_new || drawn.elapsed() >= REDRAW {
            let view = live.view(now_ms());
            terminal.draw(|frame| screen.draw(frame, &view))?;
            drawn = Instant::now();
        }
        // A signal interrupts this, too.
        let pressed = match event::poll(GATHER) {
            Ok(true) => pressed(&event::read()?, screen),
            Ok(false) => Pressed::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Pressed::Nothing,
            Err(error) => return Err(error),
        };
        if pressed == Pressed::Quit {
            break;
        }
        is_new = pressed == Pressed::Redraw;
        for polled in polls.try_iter() {
            live.observe(polled.envoy, polled.moment, polled.look);
            is_new = true;
        }
    }
    Ok(())
}

fn pressed(event: &Event, screen: &mut Screen) -> Pressed {
    let key = match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key,
        Event::Resize(..) => return Pressed::Redraw,
        _ => return Pressed::Nothing,
    };
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    screen.scroll = match key.code {
        KeyCode::Char('c' | 'd') if is_control => return Pressed::Quit,
        KeyCode::Char('q') | KeyCode::Esc => return Pressed::Quit,
        KeyCode::Up | KeyCode::Char('k') => screen.scroll.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => screen.scroll.saturating_add(1),
        KeyCode::PageUp => screen.scroll.saturating_sub(PAGE),
        KeyCode::PageDown | KeyCode::Char(' ') => screen.scroll.saturating_add(PAGE),
        KeyCode::Home => 0,
        KeyCode::End => u16::MAX,
        _ => return Pressed::Nothing,
    };
    Pressed::Redraw
}
