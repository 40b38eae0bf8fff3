//! [`Answers`]: what the console asks, answered from the store. A filter is a condition over alerts; the store knows
//! nothing of conditions, so alerts are read page by page and judged here, as many as a person would wait for.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use eyas_engine::diag::Severity;
use eyas_engine::ruleset::Ruleset;
use eyas_engine::source::SourceFile;
use eyas_event::{Alert, AlertId, LossCause, Lost, Priority, RulesetHash, WallTime};
use eyas_pipeline::{RulesCell, load_texts};
use eyas_store::{Reader, RunId, StoreError, StoredLoss};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use crate::losses::LossSum;
use crate::select::Selection;
use crate::tui::door::{
    Ask, Detail, FilterProblem, FilterText, Gap, Histogram, Missing, Query, Question, Reply, RuleSource,
    Ticket,
};

/// How many alerts are read at once.
const PAGE: u32 = 500;
/// How many alerts a filter looks at before it answers with what it has: about two seconds' worth.
const LOOKED_AT_MAX: usize = 50_000;

/// Answers questions.
pub(crate) struct Answers {
    reader: Reader,
    rules: RulesCell,
    /// The last ruleset that was compiled again to show a rule of it.
    earlier: ArcSwapOption<Ruleset>,
}

impl Answers {
    /// From this store, with the macros of these rules.
    pub(crate) fn new(reader: Reader, rules: RulesCell) -> Self {
        Self { reader, rules, earlier: ArcSwapOption::empty() }
    }

    /// Answers until nobody asks any more.
    pub(crate) async fn run(self, mut asks: mpsc::Receiver<Ask>, replies: mpsc::Sender<(Ticket, Reply)>) {
        // Side by side, so that a page does not wait until a filter has counted a large store.
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => under_way.push(self.answer(ask)),
                    None => return,
                },
                Some(reply) = under_way.next(), if !under_way.is_empty() => {
                    if replies.send(reply).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn answer(&self, ask: Ask) -> (Ticket, Reply) {
        let reply = match ask.question {
            Question::CompileFilter(text) => self.filter(text).await,
            Question::Store(query) => self.query(query).await,
        };
        (ask.ticket, reply.unwrap_or_else(|why| Reply::Failed(why.to_string())))
    }

    async fn query(&self, query: Query) -> Result<Reply, StoreError> {
        Ok(match query {
            Query::Page { before, limit, filter } => {
                Reply::Page(self.page(Way::Older(before), limit, filter.as_ref()).await?)
            }
            Query::After { id, limit, filter } => {
                Reply::Page(self.page(Way::Newer(id), limit, filter.as_ref()).await?)
            }
            Query::Detail(id) => Reply::Detail(Box::new(self.detail(id).await?)),
            Query::Histogram { from, to, buckets, filter } => {
                Reply::Histogram(self.histogram(from, to, buckets, filter.as_ref()).await?)
            }
            Query::CountFilter { filter } => Reply::Count(self.count(&filter).await?),
            Query::Losses => Reply::Losses(gaps(self.reader.losses().await?.iter())),
        })
    }

    /// At most `limit` alerts in one direction, those that the filter lets through.
    async fn page(
        &self,
        mut way: Way,
        limit: usize,
        filter: Option<&FilterText>,
    ) -> Result<Vec<Arc<Alert>>, StoreError> {
        let Some(mut selection) = self.selection(filter) else {
            let alerts = self.read(way, limit.min(PAGE as usize * 4) as u32).await?;
            return Ok(alerts.into_iter().map(Arc::new).collect());
        };
        let mut kept = Vec::new();
        let mut looked_at = 0;
        while kept.len() < limit && looked_at < LOOKED_AT_MAX {
            let alerts = self.read(way, PAGE).await?;
            let Some(last) = alerts.last().map(|a| a.id) else { break };
            looked_at += alerts.len();
            way = way.on(last);
            kept.extend(alerts.into_iter().filter(|a| selection.holds(a)).map(Arc::new));
            tokio::task::yield_now().await;
        }
        kept.truncate(limit);
        Ok(kept)
    }

    async fn read(&self, way: Way, limit: u32) -> Result<Vec<Alert>, StoreError> {
        match way {
            Way::Older(before) => self.reader.alerts_page(before, limit).await,
            Way::Newer(after) => self.reader.alerts_after(after, limit).await,
        }
    }

    /// The filter, compiled; a text that is none lets everything through, because the console applies only filters that
    /// it was told are good.
    fn selection(&self, filter: Option<&FilterText>) -> Option<Selection> {
        Selection::compile(filter?, &self.rules.load()).ok()
    }

    async fn count(&self, filter: &FilterText) -> Result<u64, StoreError> {
        Ok(self.page(Way::Older(None), usize::MAX, Some(filter)).await?.len() as u64)
    }

    async fn filter(&self, text: FilterText) -> Result<Reply, StoreError> {
        let compiled = Selection::compile(&text, &self.rules.load());
        let result = match compiled {
            Ok(_) => Ok(self.count(&text).await?),
            Err(rejected) => Err(problems(&rejected)),
        };
        Ok(Reply::Filter { text, result })
    }

    async fn histogram(
        &self,
        from: WallTime,
        to: WallTime,
        buckets: u16,
        filter: Option<&FilterText>,
    ) -> Result<Histogram, StoreError> {
        let counted = if filter.is_none() {
            let counted = self.reader.histogram(from, to, buckets).await?;
            counted.buckets.iter().map(|b| b.map(|n| n.try_into().unwrap_or(u32::MAX))).collect()
        } else {
            let mut counted = vec![[0_u32; Priority::ALL.len()]; buckets.into()];
            let begin = AlertId::new(from, 0);
            let width = (to.0.saturating_sub(from.0) / u64::from(buckets).max(1)).max(1);
            for alert in self.page(Way::Newer(begin), LOOKED_AT_MAX, filter).await? {
                let bucket = alert.time.0.saturating_sub(from.0) / width;
                if let Some(counts) = counted.get_mut(bucket as usize) {
                    counts[alert.priority as usize] += 1;
                }
            }
            counted
        };
        let losses = self.reader.losses().await?;
        let gaps = gaps(losses.iter().filter(|l| l.to_wall >= from && l.from_wall <= to));
        Ok(Histogram { from, to, buckets: counted, gaps })
    }

    async fn detail(&self, id: AlertId) -> Result<Detail, StoreError> {
        let rule = match self.reader.alert(id).await? {
            Some(alert) => self.rule_text(alert.ruleset, &alert.rule).await?,
            None => None,
        };
        Ok(Detail { id, rule })
    }

    /// The text of a rule as it was when it fired.
    async fn rule_text(&self, hash: RulesetHash, name: &str) -> Result<Option<RuleSource>, StoreError> {
        let in_force = self.rules.load_full();
        let ruleset = match self.earlier.load_full() {
            _ if in_force.hash() == hash => in_force,
            Some(earlier) if earlier.hash() == hash => earlier,
            _ => {
                let Some(kept) = self.reader.ruleset(hash).await? else { return Ok(None) };
                let files = kept.files.into_iter().map(|(name, text)| SourceFile::new(name, text)).collect();
                let ruleset = load_texts(files, Priority::Debug).ruleset;
                self.earlier.store(Some(ruleset.clone()));
                ruleset
            }
        };
        let Some(id) = ruleset.find(name) else { return Ok(None) };
        let rule = ruleset.rule(id);
        let span = rule.span;
        let sources = ruleset.sources();
        Ok(Some(RuleSource {
            file: sources.name(span.source).to_string(),
            line: sources.place(span).line,
            desc: rule.desc.clone(),
            condition: rule.condition.clone(),
            text: ruleset.rule_text(id).to_owned(),
        }))
    }
}

/// Stored losses as the console shows them: what was lost at one time for one reason is one gap, whatever kinds, processors
/// and processes it has rows for.
fn gaps<'l>(stored: impl Iterator<Item = &'l StoredLoss>) -> Vec<Gap> {
    /// Spans that are no further apart are one.
    const NEAR_NS: u64 = 1_000_000_000;
    let mut out: Vec<(Gap, LossSum)> = Vec::new();
    let mut last: HashMap<(RunId, Missing, LossCause), usize> = HashMap::new();
    for stored in stored {
        let what = match stored.loss.lost {
            Lost::Records(_) | Lost::Calls(_) | Lost::AnyRecords => Missing::Events,
            Lost::Alerts => Missing::Alerts,
            Lost::Recording => Missing::Recording,
        };
        let cause = stored.loss.cause;
        let new = Gap {
            from: stored.from_wall,
            to: stored.to_wall,
            what,
            count: stored.loss.count,
            why: cause.words().into(),
            more: Vec::new(),
        };
        let place = last.entry((stored.run, what, cause)).or_insert(usize::MAX);
        match out.get_mut(*place) {
            // Rows of a flood only: elsewhere each row says something of its own, and 0 is not to be added to.
            Some((gap, sum))
                if cause == LossCause::RingFull && new.from.0 <= gap.to.0.saturating_add(NEAR_NS) =>
            {
                gap.from = gap.from.min(new.from);
                gap.to = gap.to.max(new.to);
                gap.count = gap.count.saturating_add(new.count);
                sum.add(&stored.loss, &stored.blind);
            }
            _ => {
                *place = out.len();
                let mut sum = LossSum::default();
                if what == Missing::Events {
                    sum.add(&stored.loss, &stored.blind);
                }
                out.push((new, sum));
            }
        }
    }
    out.into_iter().map(|(gap, sum)| Gap { more: sum.lines(), ..gap }).collect()
}

/// In which direction alerts are read, and from where.
#[derive(Clone, Copy)]
enum Way {
    Older(Option<AlertId>),
    Newer(AlertId),
}

impl Way {
    /// Onwards from the last one read.
    fn on(self, last: AlertId) -> Self {
        match self {
            Self::Older(_) => Self::Older(Some(last)),
            Self::Newer(_) => Self::Newer(last),
        }
    }
}

/// The errors of a filter, at their places in its text.
pub(crate) fn problems(rejected: &eyas_engine::filter::Rejected) -> Vec<FilterProblem> {
    // The filter was added last.
    let own = rejected.sources.len().saturating_sub(1) as u32;
    rejected
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| {
            let label = d.labels.iter().find(|l| l.span.source.0 == own);
            let (start, end) = label.map_or((0, 0), |l| (l.span.start as usize, l.span.end as usize));
            let detail = label.map(|l| l.text.as_str()).filter(|t| !t.is_empty());
            let mut message = d.message.clone();
            for more in detail.into_iter().chain(d.edit.as_ref().map(|e| e.title.as_str())) {
                message.push_str(": ");
                message.push_str(more);
            }
            FilterProblem { message, start, end }
        })
        .collect()
}
