//! Fields that say the same in every event that the sensor sends. They are there for rules that were written for Falco, which
//! gives these values, too.

use crate::field::FieldId;
use crate::value::Value;

impl FieldId {
    /// The value that this field has in every event of a kind that the sensor sends; `None` for all but a few.
    pub fn constant(self) -> Option<Value<'static>> {
        Some(match self {
            // A call gives one event, at its end; so there is no time between its two either.
            Self::EVT_DIR => Value::Bytes(b"<"),
            Self::EVT_LATENCY | Self::EVT_LATENCY_S | Self::EVT_LATENCY_NS | Self::EVT_WAIT_LATENCY => {
                Value::Span(0)
            }
            Self::EVT_LATENCY_HUMAN => Value::Bytes(b"0ns"),
            Self::EVT_LATENCY_QUANTIZED | Self::EVT_COUNT_PROCINFO | Self::EVT_COUNT_THREADINFO => {
                Value::Uint(0)
            }
            Self::EVT_COUNT_EXIT => Value::Uint(1),
            // None of them waits, or writes to the log by a call that is told.
            Self::EVT_IS_WAIT | Self::EVT_IS_SYSLOG => Value::Bool(false),
            // Nor is it a switch of tasks.
            Self::THREAD_EXECTIME | Self::THREAD_TOTEXECTIME => Value::Span(0),
            _ => return None,
        })
    }
}
