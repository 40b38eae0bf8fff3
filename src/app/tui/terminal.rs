//! [`Guard`]: takes the terminal and gives it back, whatever happens: on leaving, on a signal (the loop leaves), and on a
//! panic of any thread. A panic of the console's own thread restores the terminal before the message is printed. A panic
//! of another thread must not write over the screen: its message is kept, and the loop ends with it.

use std::io::{self, Write as _};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};

/// The terminal is ours as long as this lives.
#[derive(Debug)]
pub(super) struct Guard(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    taken: AtomicBool,
    crash: Mutex<Option<String>>,
}

impl Guard {
    /// Takes the terminal.
    pub(super) fn enter() -> io::Result<Self> {
        let guard = Self(Arc::default());
        enable_raw_mode()?;
        // From here on, dropping the guard gives it back.
        guard.0.taken.store(true, Ordering::SeqCst);
        guard.watch_panics();
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        Ok(guard)
    }

    /// What a thread other than the console's said when it panicked.
    pub(super) fn crash(&self) -> Option<String> {
        self.0.crash.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn watch_panics(&self) {
        let shared = Arc::clone(&self.0);
        let own = std::thread::current().id();
        let before = std::panic::take_hook();
        // The hook stays after the guard has gone; it then only hands on to the one before.
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if std::thread::current().id() == own {
                shared.restore();
            } else if shared.taken.load(Ordering::SeqCst) {
                let thread = std::thread::current();
                let text = format!("thread {}: {info}", thread.name().unwrap_or("without a name"));
                shared.crash.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
                return;
            }
            before(info);
        }));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.restore();
    }
}

impl Shared {
    /// Gives the terminal back, once. Errors are of no use here: there is nobody left to tell.
    fn restore(&self) {
        if self.taken.swap(false, Ordering::SeqCst) {
            let mut out = io::stdout();
            let _ = execute!(
                out,
                EndSynchronizedUpdate,
                DisableBracketedPaste,
                LeaveAlternateScreen,
                cursor::Show
            );
            let _ = disable_raw_mode();
            let _ = out.flush();
        }
    }
}
