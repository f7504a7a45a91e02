//! Themes: semantic labels → styles, read from TOML files; a theme is data and knows nothing of screens.

use ratatui::style::{Color, Modifier, Style};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// The labels that a theme gives a style to. What is drawn names one of these, never a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Plain text on the background; paints the whole screen first.
    Text,
    /// Labels, units, what is there but not read first.
    Muted,
    /// The number that matters most on its line.
    Strong,
    /// Focus: the one accent.
    Accent,
    /// The border of a pane.
    Border,
    /// The border of the pane in focus.
    BorderFocus,
    /// A pane's title.
    Title,
    /// The title of the pane in focus.
    TitleFocus,
    /// The titles of columns.
    Column,
    /// It goes well.
    Good,
    /// Needs watching.
    Watch,
    /// Bad.
    Bad,
    /// The row under the cursor in the pane in focus (lies over the row's own styles).
    Selected,
    /// The row under the cursor in another pane.
    SelectedDim,
    /// A marked row's sign.
    Mark,
    /// New or changed since the last visit.
    New,
    /// A filled bar.
    Bar,
    /// The empty part of a bar.
    BarEmpty,
    /// The line of a chart.
    Chart,
    /// The second line of a chart.
    Chart2,
    /// The third line of a chart.
    Chart3,
    /// The fourth line of a chart.
    Chart4,
    /// Axes.
    Axis,
    /// A trend drawn in a row.
    Spark,
    /// The header line.
    Header,
    /// The program's name.
    Brand,
    /// A tab.
    Tab,
    /// The tab of this screen.
    TabActive,
    /// A key that can be pressed.
    Key,
    /// The background of a box that lies over the rest.
    Overlay,
    /// What is typed.
    Input,
    /// The cell of the cursor in a line that is typed.
    Cursor,
    /// The part of a text that matched.
    Match,
}

impl Role {
    /// Every label.
    pub const ALL: [Role; 33] = [
        Role::Text,
        Role::Muted,
        Role::Strong,
        Role::Accent,
        Role::Border,
        Role::BorderFocus,
        Role::Title,
        Role::TitleFocus,
        Role::Column,
        Role::Good,
        Role::Watch,
        Role::Bad,
        Role::Selected,
        Role::SelectedDim,
        Role::Mark,
        Role::New,
        Role::Bar,
        Role::BarEmpty,
        Role::Chart,
        Role::Chart2,
        Role::Chart3,
        Role::Chart4,
        Role::Axis,
        Role::Spark,
        Role::Header,
        Role::Brand,
        Role::Tab,
        Role::TabActive,
        Role::Key,
        Role::Overlay,
        Role::Input,
        Role::Cursor,
        Role::Match,
    ];

    /// Its key in a theme file.
    pub fn name(self) -> &'static str {
        match self {
            Role::Text => "text",
            Role::Muted => "muted",
            Role::Strong => "strong",
            Role::Accent => "accent",
            Role::Border => "border",
            Role::BorderFocus => "border_focus",
            Role::Title => "title",
            Role::TitleFocus => "title_focus",
            Role::Column => "column",
            Role::Good => "good",
            Role::Watch => "watch",
            Role::Bad => "bad",
            Role::Selected => "selected",
            Role::SelectedDim => "selected_dim",
            Role::Mark => "mark",
            Role::New => "new",
            Role::Bar => "bar",
            Role::BarEmpty => "bar_empty",
            Role::Chart => "chart",
            Role::Chart2 => "chart2",
            Role::Chart3 => "chart3",
            Role::Chart4 => "chart4",
            Role::Axis => "axis",
            Role::Spark => "spark",
            Role::Header => "header",
            Role::Brand => "brand",
            Role::Tab => "tab",
            Role::TabActive => "tab_active",
            Role::Key => "key",
            Role::Overlay => "overlay",
            Role::Input => "input",
            Role::Cursor => "cursor",
            Role::Match => "match",
        }
    }

    /// The style where a terminal has 16 colours: its own palette, no backgrounds, state also by weight.
    fn sixteen(self) -> Style {
        let s = Style::new();
        match self {
            Role::Text | Role::Title | Role::Header | Role::Tab | Role::Overlay | Role::Input => s,
            Role::Muted | Role::Border | Role::Column | Role::Axis | Role::BarEmpty => {
                s.fg(Color::DarkGray)
            }
            Role::Strong => s.add_modifier(Modifier::BOLD),
            Role::Accent | Role::BorderFocus | Role::Chart | Role::Spark | Role::Bar => {
                s.fg(Color::Cyan)
            }
            Role::TitleFocus | Role::Key | Role::Brand => {
                s.fg(Color::Cyan).add_modifier(Modifier::BOLD)
            }
            Role::Good => s.fg(Color::Green),
            Role::Watch => s.fg(Color::Yellow),
            Role::Bad => s.fg(Color::Red).add_modifier(Modifier::BOLD),
            Role::Selected | Role::Cursor => s.add_modifier(Modifier::REVERSED),
            Role::SelectedDim => s.add_modifier(Modifier::BOLD),
            Role::TabActive => s.add_modifier(Modifier::REVERSED | Modifier::BOLD),
            Role::Mark => s.fg(Color::Magenta).add_modifier(Modifier::BOLD),
            Role::New => s.fg(Color::Blue).add_modifier(Modifier::BOLD),
            Role::Chart2 => s.fg(Color::Magenta),
            Role::Chart3 => s.fg(Color::Blue),
            Role::Chart4 => s,
            Role::Match => s.add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
        }
    }
}

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// None wanted (`NO_COLOR`) or none to be had: weight, underline and reverse carry the meaning.
    None,
    /// The terminal's own 16.
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    True,
}

impl Depth {
    /// From `NO_COLOR`, `COLORTERM` and `TERM`, as read by `var`.
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Depth {
        if var("NO_COLOR").is_some_and(|v| !v.is_empty()) {
            return Depth::None;
        }
        let term = var("TERM").unwrap_or_default();
        if term == "dumb" {
            return Depth::None;
        }
        match var("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Depth::True,
            _ if term.contains("direct") => Depth::True,
            _ if term.contains("256") => Depth::Indexed,
            // Terminals of Windows say nothing and have them all.
            _ if var("WT_SESSION").is_some() => Depth::True,
            _ => Depth::Sixteen,
        }
    }
}

/// A theme, ready to draw with at one colour depth.
#[derive(Clone, Debug)]
pub struct Theme {
    /// Its name, as `theme NAME` takes it.
    pub name: Arc<str>,
    /// One line about it.
    pub about: String,
    styles: [Style; Role::ALL.len()],
    heat: [Style; HEAT],
}

/// How many shades a heat table has, from bad to good; the one in the middle is the plain background.
pub const HEAT: usize = 7;

impl Theme {
    /// The style of a label.
    pub fn get(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The shade of a heat table's cell, 0 (bad) to [`HEAT`] - 1 (good).
    pub fn heat(&self, level: usize) -> Style {
        self.heat[level.min(HEAT - 1)]
    }

    /// The same theme where there are fewer colours.
    pub fn at_depth(&self, depth: Depth) -> Theme {
        let mut out = self.clone();
        for (level, style) in out.heat.iter_mut().enumerate() {
            *style = match depth {
                Depth::True => *style,
                Depth::Indexed => Style {
                    fg: style.fg.map(indexed),
                    bg: style.bg.map(indexed),
                    ..*style
                },
                Depth::Sixteen => sixteen_heat(level),
                Depth::None => Style::new(),
            };
        }
        for (role, style) in Role::ALL.into_iter().zip(&mut out.styles) {
            *style = match depth {
                Depth::True => *style,
                Depth::Indexed => Style {
                    fg: style.fg.map(indexed),
                    bg: style.bg.map(indexed),
                    ..*style
                },
                Depth::Sixteen => role.sixteen(),
                Depth::None => Style {
                    fg: None,
                    bg: None,
                    ..role.sixteen()
                },
            };
        }
        out
    }
}

/// The shades of a heat table from a theme's own colours: its bad, watch and good laid thinly over its background. Where the theme uses
/// the terminal's names there is nothing to mix.
fn heat(styles: &[Style; Role::ALL.len()]) -> [Style; HEAT] {
    let rgb = |color: Option<Color>| match color {
        Some(Color::Rgb(r, g, b)) => Some([r, g, b]),
        _ => None,
    };
    let of = |role: Role| styles[role as usize];
    let (Some(back), Some(bad), Some(watch), Some(good)) = (
        rgb(of(Role::Text).bg),
        rgb(of(Role::Bad).fg),
        rgb(of(Role::Watch).fg),
        rgb(of(Role::Good).fg),
    ) else {
        return std::array::from_fn(sixteen_heat);
    };
    let shade = |over: [u8; 3], part: f32| {
        let mix = |i: usize| {
            (f32::from(back[i]) * (1.0 - part) + f32::from(over[i]) * part).round() as u8
        };
        Style {
            fg: of(Role::Text).fg,
            bg: Some(Color::Rgb(mix(0), mix(1), mix(2))),
            ..Style::new()
        }
    };
    [
        shade(bad, 0.5),
        shade(bad, 0.32),
        shade(watch, 0.22),
        Style::new(),
        shade(good, 0.16),
        shade(good, 0.28),
        shade(good, 0.42),
    ]
}

/// The same shades of the terminal's own 16 colours.
fn sixteen_heat(level: usize) -> Style {
    let on = |bg| Style::new().fg(Color::Black).bg(bg);
    match level {
        0 => Style::new().fg(Color::White).bg(Color::Red),
        1 => on(Color::LightRed),
        2 => on(Color::Yellow),
        3 => Style::new(),
        4 => Style::new().fg(Color::Green),
        5 => on(Color::Green),
        _ => on(Color::LightGreen),
    }
}

/// The nearest of xterm's 256 colours (the cube or the grey ramp).
fn indexed(color: Color) -> Color {
    let Color::Rgb(r, g, b) = color else {
        return color;
    };
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let near = |v: u8| {
        (0..6)
            .min_by_key(|i| (STEPS[*i] - i32::from(v)).abs())
            .unwrap_or(0)
    };
    let (ri, gi, bi) = (near(r), near(g), near(b));
    let distance = |x: i32, y: i32, z: i32| {
        (x - i32::from(r)).pow(2) + (y - i32::from(g)).pow(2) + (z - i32::from(b)).pow(2)
    };
    let grey = (((i32::from(r) + i32::from(g) + i32::from(b)) / 3 - 8 + 5) / 10).clamp(0, 23);
    let level = 8 + 10 * grey;
    if distance(level, level, level) < distance(STEPS[ri], STEPS[gi], STEPS[bi]) {
        Color::Indexed(232 + grey as u8)
    } else {
        Color::Indexed((16 + 36 * ri + 6 * gi + bi) as u8)
    }
}

/// What a theme file says.
#[derive(serde::Deserialize)]
struct File {
    #[serde(default)]
    about: String,
    #[serde(default)]
    palette: HashMap<String, String>,
    #[serde(default)]
    styles: toml::Table,
}

/// Reads one theme. What is wrong is said (with the label's name) and the rest is used; labels that are left out look like `text`.
pub fn parse(name: &str, text: &str) -> Result<(Theme, Vec<String>), String> {
    let file: File = toml::from_str(text).map_err(|e| {
        let line = e
            .span()
            .map_or(0, |s| text[..s.start.min(text.len())].matches('\n').count());
        format!("theme {name}, line {}: {}", line + 1, e.message())
    })?;
    let mut problems = Vec::new();
    let color = |text: &str| -> Result<Color, String> {
        let text = file.palette.get(text).map_or(text, String::as_str);
        text.parse::<Color>()
            .map_err(|_| format!("`{text}` is neither a colour (#rrggbb) nor a name of [palette]"))
    };
    let mut found: HashMap<&str, Style> = HashMap::new();
    for (label, value) in &file.styles {
        let Some(role) = Role::ALL.into_iter().find(|r| r.name() == label) else {
            let names = Role::ALL.map(Role::name);
            let near = nearest(label, &names);
            problems.push(format!(
                "theme {name}: there is no label `{label}`, did you mean `{near}`?"
            ));
            continue;
        };
        match style_of(value, &color) {
            Ok(style) => {
                found.insert(role.name(), style);
            }
            Err(e) => problems.push(format!("theme {name}: `{label}`: {e}")),
        }
    }
    let base = found.get("text").copied().unwrap_or_default();
    let styles = Role::ALL.map(|r| match found.get(r.name()) {
        Some(s) => *s,
        None if r == Role::Text => base,
        None => Style { bg: None, ..base },
    });
    Ok((
        Theme {
            name: name.into(),
            about: file.about,
            heat: heat(&styles),
            styles,
        },
        problems,
    ))
}

fn style_of(
    value: &toml::Value,
    color: &impl Fn(&str) -> Result<Color, String>,
) -> Result<Style, String> {
    let mut style = Style::new();
    match value {
        toml::Value::String(fg) => style.fg = Some(color(fg)?),
        toml::Value::Table(table) => {
            for (key, value) in table {
                match (key.as_str(), value) {
                    ("fg", toml::Value::String(c)) => style.fg = Some(color(c)?),
                    ("bg", toml::Value::String(c)) => style.bg = Some(color(c)?),
                    ("add", toml::Value::Array(list)) => {
                        for item in list {
                            style = style.add_modifier(match item.as_str() {
                                Some("bold") => Modifier::BOLD,
                                Some("dim") => Modifier::DIM,
                                Some("italic") => Modifier::ITALIC,
                                Some("underlined") => Modifier::UNDERLINED,
                                Some("reversed") => Modifier::REVERSED,
                                _ => {
                                    return Err(format!(
                                        "`{item}` is none of bold, dim, italic, underlined, reversed"
                                    ));
                                }
                            });
                        }
                    }
                    _ => {
                        return Err(format!(
                            "`{key}` is none of fg = \"#rrggbb\", bg = \"#rrggbb\", add = [\"bold\"]"
                        ));
                    }
                }
            }
        }
        _ => return Err("a style is a colour or a table of fg, bg and add".into()),
    }
    Ok(style)
}

fn nearest<'a>(word: &str, names: &[&'a str]) -> &'a str {
    crate::config::nearest(word, names.iter().copied()).unwrap_or("text")
}

/// The themes that there are, built in ones first.
#[derive(Clone, Debug)]
pub struct Themes {
    themes: Vec<Theme>,
    depth: Depth,
    /// What is wrong with the user's themes.
    pub problems: Vec<String>,
}

/// The themes that come with csops.
const BUILT_IN: [(&str, &str); 6] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    (
        "colour-blind",
        include_str!("../../themes/colour-blind.toml"),
    ),
    (
        "high-contrast",
        include_str!("../../themes/high-contrast.toml"),
    ),
    ("forest", include_str!("../../themes/forest.toml")),
    ("terminal", include_str!("../../themes/terminal.toml")),
];

impl Themes {
    /// The built-in themes and those of a folder (`*.toml`; one with a built-in's name takes its place). A folder that is not there is
    /// no mistake; a file that cannot be read is told in `problems`.
    pub fn load(folder: Option<&Path>, depth: Depth) -> Themes {
        let mut out = Themes {
            themes: Vec::new(),
            depth,
            problems: Vec::new(),
        };
        for (name, text) in BUILT_IN {
            out.add(name, text);
        }
        let mut files: Vec<_> = folder
            .and_then(|f| std::fs::read_dir(f).ok())
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|p| p.extension().is_some_and(|e| e == "toml"))
            .collect();
        files.sort();
        for path in files {
            let Some(name) = path.file_stem().and_then(|s| s.to_str()) else {
                continue;
            };
            match std::fs::read_to_string(&path) {
                Ok(text) => out.add(name, &text),
                Err(e) => {
                    let mut said = String::new();
                    let _ = write!(said, "theme {}: {e}; it is left out", path.display());
                    out.problems.push(said);
                }
            }
        }
        out
    }

    fn add(&mut self, name: &str, text: &str) {
        match parse(name, text) {
            Ok((theme, problems)) => {
                self.problems.extend(problems);
                let theme = theme.at_depth(self.depth);
                match self.themes.iter_mut().find(|t| *t.name == *name) {
                    Some(old) => *old = theme,
                    None => self.themes.push(theme),
                }
            }
            Err(e) => self.problems.push(e),
        }
    }

    /// The theme of that name; the first one when it is empty or `auto`.
    pub fn get(&self, name: &str) -> Option<&Theme> {
        if name.is_empty() || name == "auto" {
            return self.themes.first();
        }
        self.themes.iter().find(|t| *t.name == *name)
    }
    /// The first theme. There is always one: the built-in ones are held by a test.
    pub fn first(&self) -> Theme {
        self.themes.first().cloned().unwrap_or_else(|| Theme {
            name: "plain".into(),
            about: String::new(),
            styles: Role::ALL.map(Role::sixteen),
            heat: std::array::from_fn(sixteen_heat),
        })
    }
    /// The theme after that one.
    pub fn after(&self, name: &str) -> Theme {
        let at = self.themes.iter().position(|t| *t.name == *name);
        let next = at.map_or(0, |i| (i + 1) % self.themes.len());
        self.themes
            .get(next)
            .cloned()
            .unwrap_or_else(|| self.first())
    }
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.themes.iter().map(|t| &*t.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(c: Color) -> Option<f64> {
        let Color::Rgb(r, g, b) = c else { return None };
        let lin = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        Some(0.2126 * lin(r) + 0.7152 * lin(g) + 0.0722 * lin(b))
    }
    fn contrast(a: Color, b: Color) -> Option<f64> {
        let (a, b) = (luminance(a)?, luminance(b)?);
        Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
    }

    #[test]
    fn every_built_in_theme_loads_without_a_problem_and_names_every_label() {
        for (name, text) in BUILT_IN {
            let (theme, problems) = parse(name, text).expect(name);
            assert!(problems.is_empty(), "{problems:?}");
            assert!(!theme.about.is_empty(), "{name}");
            let table: toml::Table = toml::from_str(text).expect(name);
            for role in Role::ALL {
                assert!(
                    table["styles"].get(role.name()).is_some(),
                    "{name}: {}",
                    role.name()
                );
            }
        }
    }

    #[test]
    fn text_and_state_can_be_read_on_every_background() {
        for (name, text) in BUILT_IN {
            let (theme, _) = parse(name, text).expect(name);
            let Some(bg) = theme.get(Role::Text).bg else {
                continue;
            };
            for over in [
                bg,
                theme.get(Role::Selected).bg.unwrap_or(bg),
                theme.get(Role::Overlay).bg.unwrap_or(bg),
            ] {
                for (role, least) in [
                    (Role::Text, 7.0),
                    (Role::Strong, 7.0),
                    (Role::Muted, 3.0),
                    (Role::Good, 3.0),
                    (Role::Watch, 3.0),
                    (Role::Bad, 3.0),
                    (Role::Accent, 3.0),
                ] {
                    let fg = theme.get(role).fg.expect(name);
                    let Some(c) = contrast(fg, over) else {
                        continue;
                    };
                    assert!(c >= least, "{name}: {} has {c:.1} on {over}", role.name());
                }
            }
        }
    }

    #[test]
    fn a_wrong_label_or_colour_is_told_and_the_rest_is_used() {
        let (theme, problems) = parse(
            "mine",
            "[palette]\nink = \"#102030\"\n[styles]\ntext = \"ink\"\ngoodd = \"ink\"\nbad = \"blurple\"\nwatch = { fg = \"ink\", add = [\"bold\"] }",
        )
        .expect("a theme");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems
                .iter()
                .any(|p| p.contains("`goodd`") && p.contains("`good`"))
        );
        assert!(
            problems
                .iter()
                .any(|p| p.contains("`bad`") && p.contains("blurple"))
        );
        assert_eq!(theme.get(Role::Watch).fg, Some(Color::Rgb(16, 32, 48)));
        assert!(theme.get(Role::Watch).add_modifier.contains(Modifier::BOLD));
        assert!(
            parse("x", "[styles\n")
                .expect_err("no theme")
                .contains("line 1")
        );
    }

    #[test]
    fn fewer_colours_never_lose_the_selection() {
        let themes = Themes::load(None, Depth::None);
        let theme = themes.first();
        for role in Role::ALL {
            assert_eq!((theme.get(role).fg, theme.get(role).bg), (None, None));
        }
        assert!(
            theme
                .get(Role::Selected)
                .add_modifier
                .contains(Modifier::REVERSED)
        );
        assert_eq!(indexed(Color::Rgb(255, 255, 255)), Color::Indexed(231));
        assert_eq!(indexed(Color::Rgb(128, 128, 128)), Color::Indexed(244));
    }

    #[test]
    fn the_depth_follows_the_environment() {
        let of = |pairs: &'static [(&str, &str)]| {
            Depth::detect(|k| {
                pairs
                    .iter()
                    .find(|(n, _)| *n == k)
                    .map(|(_, v)| (*v).to_owned())
            })
        };
        assert_eq!(
            of(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]),
            Depth::True
        );
        assert_eq!(of(&[("TERM", "xterm-256color")]), Depth::Indexed);
        assert_eq!(of(&[("TERM", "linux")]), Depth::Sixteen);
        assert_eq!(
            of(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]),
            Depth::None
        );
        assert_eq!(
            of(&[("NO_COLOR", ""), ("TERM", "xterm-256color")]),
            Depth::Indexed
        );
    }
}
