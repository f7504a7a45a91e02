//! Tasks: new, done, moved, given away, edited.

use super::*;
use crate::book::Task;

impl<'a> Planner<'a> {
    fn tasks(&self) -> Result<Vec<&'a Task>, PlanError> {
        let found: Vec<_> = self
            .cx
            .selection
            .targets
            .iter()
            .filter(|t| t.entity == Entity::Task)
            .filter_map(|t| self.cx.rows.tasks.get(&t.id))
            .collect();
        if found.is_empty() {
            return Err(PlanError::new("the selected task is no longer there"));
        }
        Ok(found)
    }

    fn titles(&self, tasks: &[&Task]) -> String {
        match tasks {
            [one] => format!("“{}”", crate::book::text::visible(&one.title)),
            several => format!("{} tasks", several.len()),
        }
    }

    fn each_task(
        &self,
        nothing: &str,
        summary: impl Fn(&str) -> String,
        fields: impl Fn(&Task) -> Fields,
    ) -> Planned {
        let tasks = self.tasks()?;
        let mut out = Vec::new();
        for task in &tasks {
            let made = fields(task);
            if made.0.is_empty() {
                continue;
            }
            let t = target(Entity::Task, task.id);
            let source = self.home_of(t, self.cx.homes.task.as_ref())?;
            out.extend(made.update(t, task.account.unwrap_or_default(), source));
        }
        changes(out, nothing, summary(&self.titles(&tasks)))
    }

    pub(super) fn task_new(&self) -> Planned {
        let home = self.required_home(self.cx.homes.task.as_ref(), "task")?;
        let accounts = self.accounts()?;
        let title = self.arg(0).trim();
        let due = self.command.flag("due").map(|d| self.day(d)).transpose()?;
        let priority = self
            .command
            .flag("priority")
            .map(|p| self.one_of(p, ArgKind::Priority.fixed_choices(), "priority"))
            .transpose()?;
        let owner = match self.command.flag("owner") {
            Some(who) => Some(self.person(who)?),
            None => self.cx.me.person,
        };
        let mut out = Vec::new();
        for a in &accounts {
            let mut lines = title.splitn(2, '\n');
            let mut fields = Fields::default()
                .create("account", FieldValue::Id(a.0.id))
                .create("title", text(lines.next().unwrap_or_default().trim()))
                .create("status_kind", text("open"))
                .create("priority_kind", text(priority.unwrap_or("p3")));
            if let Some(more) = lines.next() {
                fields = fields.create("description", text(more.trim()));
            }
            if let Some(d) = due {
                fields = fields.create("due", FieldValue::Date(d));
            }
            if let Some(o) = owner {
                fields = fields.create("owner", FieldValue::Id(o));
            }
            out.push(fields.new_thing(Entity::Task, a.0.id, home.clone()));
        }
        let when = due.map_or_else(String::new, |d| format!(", due {}", d.strftime("%-d %b")));
        changes(
            out,
            "the task has no title",
            format!("new task for {}{when}", self.names(&accounts)),
        )
    }

    pub(super) fn task_done(&self) -> Planned {
        self.each_task(
            "it is done already",
            |t| format!("completed {t}"),
            |task| Fields::default().set("status_kind", task.get("status_kind"), text("done")),
        )
    }

    pub(super) fn task_move(&self) -> Planned {
        let day = self.day(self.arg(0))?;
        self.each_task(
            "it is due then already",
            |t| format!("moved {t} to {}", day.strftime("%-d %b %Y")),
            |task| Fields::default().set("due", task.get("due"), FieldValue::Date(day)),
        )
    }

    pub(super) fn task_assign(&self) -> Planned {
        let who = self.person(self.arg(0))?;
        let name = self.person_name(who);
        self.each_task(
            &format!("{name} has it already"),
            |t| format!("gave {t} to {name}"),
            |task| Fields::default().set("owner", task.get("owner"), FieldValue::Id(who)),
        )
    }

    pub(super) fn task_edit(&self) -> Planned {
        let field = self.one_of(
            self.arg(0),
            ArgKind::TaskField.fixed_choices(),
            "field of a task",
        )?;
        let value = self.arg(1).trim();
        let (field, want): (&'static str, FieldValue) = match field {
            "due" => ("due", FieldValue::Date(self.day(value)?)),
            "priority" => (
                "priority_kind",
                text(self.one_of(value, ArgKind::Priority.fixed_choices(), "priority")?),
            ),
            "owner" => ("owner", FieldValue::Id(self.person(value)?)),
            "description" => ("description", text(value)),
            _ => ("title", text(value)),
        };
        self.each_task(
            "it says so already",
            |t| format!("changed {} of {t}", field.trim_end_matches("_kind")),
            |task| Fields::default().set(field, task.get(field), want.clone()),
        )
    }
}
