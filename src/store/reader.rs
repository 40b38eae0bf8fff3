//! [`Reader`]: questions to a store, asked from async code; [`BlockingReader`]: the same from plain code. Both hand their
//! questions to one thread with a runtime and a small pool of query-only connections, so it does not matter which
//! runtime, if any, the caller runs in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use eyas_event::{Alert, AlertId, RulesetHash, WallTime};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::options::Create;
use crate::query;
use crate::rows::{Checked, Histogram, RulesetText, RunInfo, SegmentId, SegmentMeta, StoredLoss};
use crate::schema;
use crate::segments::Segments;
use crate::store::new_runtime;

/// Connections at most: a few panes ask at the same time.
const CONNECTIONS: u32 = 4;

/// Asks a store; clones share the connections. Pages of alerts come whole, with processes and ancestors.
#[derive(Clone, Debug)]
pub struct Reader(Arc<Core>);

/// The same for plain code: each call waits for its answer.
#[derive(Clone, Debug)]
pub struct BlockingReader(Arc<Core>);

#[derive(Debug)]
struct Core {
    handle: Handle,
    pool: SqlitePool,
    path: PathBuf,
    /// When it is dropped, the thread closes the pool and ends.
    _end: oneshot::Sender<()>,
}

type Answer<T> = Result<T, StoreError>;

/// Writes each question twice, once for each kind of caller.
macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty = $query:path;)*) => {
        impl Reader {
            $($(#[$doc])*
            pub async fn $name(&self, $($arg: $ty),*) -> Answer<$out> {
                self.0.ask($query(self.0.pool.clone(), $($arg),*)).await
            })*
        }

        impl BlockingReader {
            $($(#[$doc])*
            pub fn $name(&self, $($arg: $ty),*) -> Answer<$out> {
                self.0.wait($query(self.0.pool.clone(), $($arg),*))
            })*
        }
    };
}

questions! {
    /// The alert with that id.
    alert(id: AlertId) -> Option<Alert> = query::alert;
    /// At most `limit` alerts before that one, or the newest; newest first.
    alerts_page(before: Option<AlertId>, limit: u32) -> Vec<Alert> = query::alerts_before;
    /// At most `limit` alerts after that one; oldest first.
    alerts_after(after: AlertId, limit: u32) -> Vec<Alert> = query::alerts_after;
    /// How many alerts there are.
    alert_count() -> u64 = query::alert_count;
    /// Looks at every page of the file until about that time has passed; the error is the first damage.
    check(at_most: Duration) -> Checked = query::check;
    /// How many alerts of each priority fell into each of so many equal parts of a time.
    histogram(from: WallTime, to: WallTime, buckets: u16) -> Histogram = query::histogram;
    /// All losses, in the order in which they were noted.
    losses() -> Vec<StoredLoss> = query::losses;
    /// All runs, oldest first.
    runs() -> Vec<RunInfo> = query::runs;
    /// The texts of a ruleset.
    ruleset(hash: RulesetHash) -> Option<RulesetText> = query::ruleset;
    /// All recorded segments, without their bytes, in order.
    segments_meta() -> Vec<SegmentMeta> = query::segments_meta;
    /// The first segment after that one.
    next_segment(after: SegmentId) -> Option<SegmentMeta> = query::next_segment;
    /// The records of a segment as the kernel sent them; `None` when it is not there any more.
    segment(id: SegmentId) -> Option<Vec<u8>> = query::segment;
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Answer<Self> {
        let path = schema::resolve(path, Create::Never)?;
        if schema::header(&path)? == schema::Header::Empty {
            return Err(StoreError::Missing { path });
        }
        let failed = |source| StoreError::Io { doing: "start a reader for", path: path.clone(), source };
        let runtime = new_runtime().map_err(failed)?;
        let (opened, answer) = sync_channel(1);
        let (end, ended) = oneshot::channel();
        let handle = runtime.handle().clone();
        let of = path.clone();
        let work = async move {
            let pool = connect(&of).await;
            let keep = pool.as_ref().ok().cloned();
            // The one who opens waits for this answer.
            let _unheard = opened.send(pool);
            if let Some(pool) = keep {
                let _ended = ended.await;
                pool.close().await;
            }
        };
        std::thread::Builder::new()
            .name("eyas-store-read".to_owned())
            .spawn(move || runtime.block_on(work))
            .map_err(failed)?;
        let pool = answer.recv().map_err(|_| StoreError::Closed)??;
        Ok(Self(Arc::new(Core { handle, pool, path, _end: end })))
    }

    /// For plain code.
    pub fn blocking(&self) -> BlockingReader {
        BlockingReader(Arc::clone(&self.0))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

impl BlockingReader {
    /// The recording from its begin, segment by segment.
    pub fn segments(&self) -> Segments {
        self.segments_after(SegmentId(0))
    }

    /// The recording after that segment.
    pub fn segments_after(&self, after: SegmentId) -> Segments {
        Segments::new(self.clone(), after)
    }

    /// For async code.
    pub fn to_async(&self) -> Reader {
        Reader(Arc::clone(&self.0))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

impl Core {
    async fn ask<T: Send + 'static>(
        &self,
        question: impl Future<Output = Answer<T>> + Send + 'static,
    ) -> Answer<T> {
        self.handle.spawn(question).await.unwrap_or(Err(StoreError::Closed))
    }

    fn wait<T: Send + 'static>(
        &self,
        question: impl Future<Output = Answer<T>> + Send + 'static,
    ) -> Answer<T> {
        let (send, answer) = sync_channel(1);
        self.handle.spawn(async move {
            // The caller waits below, unless its thread died.
            let _unheard = send.send(question.await);
        });
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }
}

/// Connects for reading. A file in a directory that cannot be written, with nothing beside it, is opened as one that
/// nobody changes: `SQLite` would otherwise want to make its shared-memory file there.
async fn connect(path: &Path) -> Answer<SqlitePool> {
    let pool = |immutable| {
        SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(schema::reading(path, immutable))
    };
    let (pool, version) = match check(pool(false).await).await {
        Ok(checked) => checked,
        Err(e) if e.may_pass() && !schema::beside(path, "-wal").exists() => check(pool(true).await).await?,
        Err(e) => return Err(e),
    };
    schema::check_readable(path, version)?;
    Ok(pool)
}

/// The first question finds out whether the file can be read at all.
async fn check(pool: Result<SqlitePool, sqlx::Error>) -> Answer<(SqlitePool, u32)> {
    let pool = pool?;
    let version = schema::user_version(&mut *pool.acquire().await?).await?;
    Ok((pool, version))
}
