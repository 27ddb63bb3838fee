//! The program in a pseudo terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use testbed::eventually;
use vt100::Parser;

/// A terminal, and the program in it.
pub struct Terminal {
    child: Child,
    /// Our end.
    keys: File,
    /// The program's end.
    line: OwnedFd,
    screen: Arc<Mutex<Parser>>,
}

const PATIENCE: Duration = Duration::from_secs(30);

// === impl Terminal ===

impl Terminal {
    pub fn start(args: &[&str], columns: u16, rows: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&ours).expect("a terminal");
        unlockpt(&ours).expect("a terminal");
        let name = ptsname(&ours, Vec::new()).expect("a name");
        let line = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("a terminal");
        tcsetwinsize(&line, size(columns, rows)).expect("a size");
        let end = || line.try_clone().expect("a copy");
        let child = Command::new(env!("CARGO_BIN_EXE_bluegreen"))
            .args(args)
            .env("TERM", "xterm-256color")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("the program");
        let screen = Arc::new(Mutex::new(Parser::new(rows, columns, 0)));
        let mut output = File::from(ours.try_clone().expect("a copy"));
        let drawn = Arc::clone(&screen);
        // It ends with the terminal.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                drawn.lock().expect("no panic").process(&bytes[..count]);
            }
        });
        Self {
            child,
            keys: File::from(ours),
            line,
            screen,
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a key");
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a process");
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        let mut screen = self.screen.lock().expect("no panic");
        screen.screen_mut().set_size(rows, columns);
        tcsetwinsize(&self.line, size(columns, rows)).expect("a size");
        drop(screen);
        self.signal(Signal::WINCH);
    }

    /// Waits until all these texts are on the screen.
    pub async fn shows(&self, texts: &[&str]) {
        let shows = async || {
            let screen = self.screen.lock().expect("no panic").screen().contents();
            let all = texts.iter().all(|text| screen.contains(text));
            all.then_some(())
                .ok_or_else(|| format!("no {texts:?} on\n{screen}"))
        };
        eventually("the screen", PATIENCE, shows).await;
    }

    /// Waits until the program has ended, and checks that the terminal is as it was.
    pub async fn ends(&mut self) -> ExitStatus {
        let mut status = None;
        for _ in 0..PATIENCE.as_millis() / 20 {
            status = self.child.try_wait().expect("a process");
            if status.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let Some(status) = status else {
            let _ = self.child.kill();
            panic!("it does not end");
        };
        let is_back = async || {
            let screen = self.screen.lock().expect("no panic");
            let screen = screen.screen();
            let is_back = !screen.alternate_screen() && !screen.hide_cursor();
            is_back
                .then_some(())
                .ok_or_else(|| "another screen".to_owned())
        };
        eventually("the screen is back", PATIENCE, is_back).await;
        let modes = tcgetattr(&self.line).expect("modes").local_modes;
        assert!(
            modes.contains(LocalModes::ICANON | LocalModes::ECHO),
            "{modes:?}"
        );
        status
    }
}

const fn size(columns: u16, rows: u16) -> Winsize {
    Winsize {
        ws_col: columns,
        ws_row: rows,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
