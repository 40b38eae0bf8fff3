//! [`Spill`]: the file `<store>.spill`, where alerts go when the writer cannot take them in time. Each is a little-endian
//! `u32` length and that many bytes of JSON. The writer turns the file into `<store>.spill.reading`, reads that into the store
//! and removes it; a kill in between costs nothing, because an alert that is stored already is not stored twice.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use eyas_event::Alert;

use crate::error::StoreError;
use crate::run::Origin;
use crate::schema::beside;
use crate::spill_form;

/// Longer frames are not ours: an alert with 256 ancestors of 4 KiB arguments each is a third of this.
const FRAME_MAX: u32 = 8 << 20;

/// The spill file of a store.
#[derive(Debug)]
pub(crate) struct Spill {
    path: PathBuf,
    reading: PathBuf,
    limit_bytes: u64,
    open: Mutex<OpenSpill>,
}

#[derive(Debug, Default)]
struct OpenSpill {
    file: Option<File>,
    bytes: u64,
}

/// Why an alert could not be spilled.
#[derive(Debug)]
pub(crate) enum SpillError {
    Full,
    Io(io::Error),
}

impl Spill {
    pub(crate) fn beside(store: &Path, limit_bytes: u64) -> Self {
        let path = beside(store, ".spill");
        let bytes = fs::metadata(&path).map_or(0, |m| m.len());
        let open = Mutex::new(OpenSpill { file: None, bytes });
        Self { path, reading: beside(store, ".spill.reading"), limit_bytes, open }
    }

    fn open(&self) -> MutexGuard<'_, OpenSpill> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends an alert.
    pub(crate) fn push(&self, origin: Origin, alert: &Alert) -> Result<(), SpillError> {
        let json = spill_form::write(origin, alert);
        let length = u32::try_from(json.len()).ok().filter(|n| *n <= FRAME_MAX).ok_or(SpillError::Full)?;
        let frame = [&length.to_le_bytes()[..], &json].concat();
        let mut open = self.open();
        if open.bytes + frame.len() as u64 > self.limit_bytes {
            return Err(SpillError::Full);
        }
        let before = open.bytes;
        let file = match &mut open.file {
            Some(file) => file,
            none => none.insert(self.create().map_err(SpillError::Io)?),
        };
        if let Err(e) = file.write_all(&frame) {
            // Half a frame would hide all that come after it.
            let _best_effort = file.set_len(before);
            return Err(SpillError::Io(e));
        }
        open.bytes += frame.len() as u64;
        Ok(())
    }

    fn create(&self) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)
    }

    /// Bytes that wait in the spill file.
    pub(crate) fn bytes(&self) -> u64 {
        self.open().bytes
    }

    /// Whether something waits to be read back.
    pub(crate) fn is_waiting(&self) -> bool {
        self.bytes() > 0 || self.reading.exists()
    }

    /// Takes what was spilled so far out of the way of those who go on spilling, for reading back.
    pub(crate) fn begin_reading(&self) -> Result<SpillReader, StoreError> {
        if !self.reading.exists() {
            let mut open = self.open();
            fs::rename(&self.path, &self.reading).map_err(|source| StoreError::Io {
                doing: "rename",
                path: self.path.clone(),
                source,
            })?;
            *open = OpenSpill::default();
        }
        let failed = |source| StoreError::Io { doing: "open", path: self.reading.clone(), source };
        let file = File::open(&self.reading).map_err(failed)?;
        Ok(SpillReader { path: self.reading.clone(), file: BufReader::new(file), unreadable: 0 })
    }
}

/// Reads a spill file from its begin.
#[derive(Debug)]
pub(crate) struct SpillReader {
    path: PathBuf,
    file: BufReader<File>,
    unreadable: u64,
}

impl SpillReader {
    /// The next alert; `None` at the end. A frame that cannot be read is counted; one whose length cannot be right, or
    /// that a kill cut short, ends the file.
    pub(crate) fn next_alert(&mut self) -> Result<Option<(Origin, Alert)>, StoreError> {
        loop {
            let Some(frame) = self.next_frame()? else { return Ok(None) };
            match spill_form::read(&frame) {
                Ok(spilled) => return Ok(Some(spilled)),
                Err(_) => self.unreadable += 1,
            }
        }
    }

    fn next_frame(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut length = [0; 4];
        let mut frame = Vec::new();
        let read = (&mut self.file).take(4).read_to_end(&mut frame).and_then(|n| {
            if n == 0 {
                return Ok(None);
            }
            length[..n].copy_from_slice(&frame);
            let wanted = u32::from_le_bytes(length);
            if n < 4 || wanted > FRAME_MAX {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            frame.clear();
            let got = (&mut self.file).take(u64::from(wanted)).read_to_end(&mut frame)?;
            if got < wanted as usize { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(Some(())) }
        });
        match read {
            Ok(some) => Ok(some.map(|()| frame)),
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
                self.unreadable += 1;
                Ok(None)
            }
            Err(source) => Err(StoreError::Io { doing: "read", path: self.path.clone(), source }),
        }
    }

    /// Removes the file, whose alerts are all stored. Gives how many could not be read.
    pub(crate) fn finish(self) -> Result<u64, StoreError> {
        fs::remove_file(&self.path).map_err(|source| StoreError::Io {
            doing: "remove",
            path: self.path.clone(),
            source,
        })?;
        Ok(self.unreadable)
    }
}
