//! What answers do. An answer to a question that nobody waits for any more is dropped.

use super::super::detail::Rule;
use super::super::door::{FilterProblem, Reply, Ticket};
use super::super::overlay::{Layer, Verdict};
use super::super::state::{Filter, Losses, PageKind};
use super::super::theme::Role;
use super::{PAGE, Turn};

impl Turn<'_> {
    pub(super) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        match reply {
            Reply::Page(alerts) => {
                if let Some((_, kind)) = self.s.pending.page.take_if(|(t, _)| *t == ticket) {
                    self.page(kind, alerts);
                }
            }
            Reply::Detail(detail) => {
                self.on_same_item(|s| {
                    if let Some(view) = &mut s.detail
                        && matches!(view.rule, Rule::Asked(t) if t == ticket)
                        && view.id() == detail.id
                    {
                        view.rule = Rule::Known(detail.rule);
                    }
                });
            }
            Reply::Histogram(histogram) => {
                if self.s.bars.ticket.take_if(|t| *t == ticket).is_some() {
                    self.s.bars.data = Some(histogram);
                }
            }
            Reply::Count(n) => {
                if self.s.pending.count.take_if(|t| *t == ticket).is_some()
                    && let Some(filter) = &mut self.s.filter
                {
                    filter.hits = Some(n);
                }
            }
            Reply::Losses(mut gaps) => {
                if matches!(self.s.losses, Losses::Asked(t) if t == ticket) {
                    gaps.sort_by_key(|g| std::cmp::Reverse(g.to));
                    self.s.losses = Losses::Known(gaps);
                }
            }
            Reply::Filter { text, result } => self.compiled(ticket, &text, result),
            Reply::Failed(why) => self.failed(ticket, why),
        }
    }

    fn page(&mut self, kind: PageKind, alerts: Vec<std::sync::Arc<eyas_event::Alert>>) {
        let full = alerts.len() >= PAGE;
        // The oldest alert may be the begin of a recording, from which the bars span.
        self.s.bars.dirty |= self.s.replaying();
        match kind {
            PageKind::Newest => {
                self.s.rows.add(alerts);
                self.s.rows.older = full;
                let height = self.s.list_rows();
                if let Some(id) = self.s.again.take() {
                    self.s.rows.select(id, height);
                } else if self.s.detail.is_some() {
                    self.s.rows.hold(height);
                }
            }
            PageKind::Older => {
                self.s.rows.add_older(alerts);
                self.s.rows.older = full;
            }
            PageKind::After if self.s.rows.detached => {
                // The window moves down; when the store has no more, its end is the live end again.
                self.s.rows.detached = full;
                self.s.rows.add(alerts);
            }
            PageKind::After => {
                let last = alerts.iter().map(|a| a.id).max();
                self.take_in(alerts);
                if let Some(last) = last.filter(|_| full) {
                    self.ask_after(last);
                }
            }
        }
    }

    fn compiled(&mut self, ticket: Ticket, text: &str, result: Result<u64, Vec<FilterProblem>>) {
        if self.s.pending.apply.take_if(|t| *t == ticket).is_some() {
            match result {
                Ok(hits) => self.apply_filter(Some(Filter { text: text.into(), hits: Some(hits) })),
                Err(problems) => {
                    let why = problems.first().map_or("it is not a condition", |p| p.message.as_str());
                    self.notify(Role::Bad, format!("The filter stays as it is: {why}"));
                }
            }
            return;
        }
        if self.s.pending.compile.take_if(|(t, _)| *t == ticket).is_none() {
            return;
        }
        let Some(Layer::Filter(bar)) = self.s.layers.last_mut() else { return };
        if bar.prompt.input.text() != text {
            // Typing went on meanwhile; now it is the newer text's turn.
            let taken = bar.taken;
            self.compile();
            if let Some(Layer::Filter(bar)) = self.s.layers.last_mut() {
                bar.taken = taken;
            }
            return;
        }
        bar.verdict = match result {
            Ok(hits) => Verdict::Good(hits),
            Err(problems) => Verdict::Wrong(problems),
        };
        if let Verdict::Good(hits) = bar.verdict
            && bar.taken
        {
            self.take_filter(Some(Filter { text: text.into(), hits: Some(hits) }));
        } else {
            bar.taken = false;
        }
    }

    fn failed(&mut self, ticket: Ticket, why: String) {
        if let Some((_, kind)) = self.s.pending.page.take_if(|(t, _)| *t == ticket) {
            let what = if kind == PageKind::After { "newer" } else { "earlier" };
            self.notify(Role::Bad, format!("The store could not give {what} alerts: {why}"));
        } else if self.s.bars.ticket.take_if(|t| *t == ticket).is_some() {
            // The bars keep what they have, and ask again with the next alert or bucket.
            self.notify(Role::Bad, format!("The store could not count alerts: {why}"));
        } else if matches!(self.s.losses, Losses::Asked(t) if t == ticket) {
            self.s.losses = Losses::Failed(why);
        } else if self.s.pending.apply.take_if(|t| *t == ticket).is_some() {
            self.notify(Role::Bad, format!("The filter stays as it is: {why}"));
        } else if let Some(view) = &mut self.s.detail
            && matches!(view.rule, Rule::Asked(t) if t == ticket)
        {
            view.rule = Rule::Failed(why);
        } else if self.s.pending.compile.take_if(|(t, _)| *t == ticket).is_some() {
            if let Some(Layer::Filter(bar)) = self.s.layers.last_mut() {
                bar.taken = false;
                bar.verdict = Verdict::Failed(why);
            }
        } else {
            self.s.pending.count.take_if(|t| *t == ticket);
        }
    }
}
