//! [`Cells`]: the columns of a row, left to right, each checked for its range before it means anything. It knows
//! nothing of tables; the `*_row` files do.

use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Row, Type};

use crate::error::StoreError;
use crate::rows::from_sql;

/// Takes the next column with each call.
pub(crate) struct Cells<'r> {
    row: &'r SqliteRow,
    at: usize,
}

impl<'r> Cells<'r> {
    pub(crate) fn of(row: &'r SqliteRow) -> Self {
        Self { row, at: 0 }
    }

    pub(crate) fn take<T>(&mut self) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        let at = self.at;
        self.at += 1;
        Ok(self.row.try_get(at)?)
    }

    /// An unsigned number, kept bit for bit.
    pub(crate) fn bits(&mut self) -> Result<u64, StoreError> {
        self.take::<i64>().map(from_sql)
    }

    /// A number of a narrower type.
    pub(crate) fn narrow<T: TryFrom<i64>>(&mut self) -> Result<T, StoreError> {
        let n: i64 = self.take()?;
        T::try_from(n)
            .map_err(|_| StoreError::damaged(format!("column {} holds {n}, out of its range", self.at - 1)))
    }

    pub(crate) fn bytes(&mut self) -> Result<Box<[u8]>, StoreError> {
        self.take::<&[u8]>().map(Into::into)
    }
}
