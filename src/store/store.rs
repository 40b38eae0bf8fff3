//! [`Store`]: a store file opened for writing, from which the one writer and any number of readers come. Opening takes the
//! writer's lock, refuses foreign files, brings the schema up to date and begins a run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use crate::commit::Pen;
use crate::error::StoreError;
use crate::lock::{self, WriterLock};
use crate::options::{Create, OpenOptions, WriterOptions};
use crate::reader::Reader;
use crate::rows::RunId;
use crate::run::Run;
use crate::schema;
use crate::writer::Writer;

/// A store that this process may write.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    run: RunId,
    lock: Arc<WriterLock>,
    pen: Mutex<Option<Pen>>,
    reader: Mutex<Option<Reader>>,
}

/// A runtime for one thread.
pub(crate) fn new_runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_time().build()
}

/// Waits for a future on a thread of its own, so that it does not matter whether the caller runs in a runtime.
fn apart<T: Send>(
    path: &Path,
    work: impl Future<Output = Result<T, StoreError>> + Send,
) -> Result<T, StoreError> {
    let failed = |source| StoreError::Io { doing: "start a runtime for", path: path.to_owned(), source };
    let runtime = new_runtime().map_err(failed)?;
    thread::scope(|scope| {
        scope.spawn(move || runtime.block_on(work)).join().unwrap_or(Err(StoreError::Closed))
    })
}

impl Store {
    /// Opens a store for writing and begins a run in it. When the last live run of this node was killed or ended, the time
    /// since then is stored as a loss.
    pub fn open(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Self, StoreError> {
        let path = schema::resolve(path.as_ref(), options.create)?;
        // What is not ours gets no lock file beside it.
        schema::header(&path)?;
        let lock = Arc::new(WriterLock::take(&path)?);
        let (run, pen) = apart(&path, async {
            let mut conn = schema::open_writing(&path).await?;
            let run = Run::begin(&mut conn, options).await?;
            Ok((run.origin.run, Pen::new(conn, run)))
        })?;
        Ok(Self { path, run, lock, pen: Mutex::new(Some(pen)), reader: Mutex::default() })
    }

    /// Makes the file and the directories above it where they are not there, and nothing else: who is about to give up
    /// privileges does this before.
    pub fn prepare(path: impl AsRef<Path>) -> Result<PathBuf, StoreError> {
        schema::resolve(path.as_ref(), Create::IfMissing)
    }

    /// Opens a store for reading only: one that another process writes, or a copy.
    pub fn open_read(path: impl AsRef<Path>) -> Result<Reader, StoreError> {
        Reader::open(path.as_ref())
    }

    /// Whether a process writes to a store at this moment; a store that is not there is written by nobody.
    pub fn is_held(path: impl AsRef<Path>) -> Result<bool, StoreError> {
        match schema::resolve(path.as_ref(), Create::Never) {
            Ok(path) => lock::is_held(&path),
            Err(StoreError::Missing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run that began when the store was opened.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// Starts the writer. There is one: a second call is refused.
    pub fn writer(&self, options: WriterOptions) -> Result<Writer, StoreError> {
        let pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let pen = pen.ok_or(StoreError::WriterTaken)?;
        Writer::start(pen, &self.path, Arc::clone(&self.lock), options)
    }

    /// A reader of this store; clones share their connections.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &*reader {
            Some(reader) => Ok(reader.clone()),
            None => Ok(reader.insert(Reader::open(&self.path)?).clone()),
        }
    }
}

impl Drop for Store {
    /// A run whose writer was never asked for ends here.
    fn drop(&mut self) {
        let pen = self.pen.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pen) = pen {
            // Nobody is left to hear of an error; the next start then takes this run for a killed one.
            let _unheard = apart(&self.path, pen.close());
        }
    }
}
