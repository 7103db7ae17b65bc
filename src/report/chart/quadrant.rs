//! The quadrant: how much comes from other models against substance and path, one mark a model, with a box for what
//! is not known of it.

use crate::fact::Interval;
use crate::report::chart::{Drawing, Paint, Place, text_width, wrap};

/// The words of the chart.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct QuadrantWords {
    /// What the chart is called.
    pub(in crate::report) title: String,
    /// What it shows.
    pub(in crate::report) description: String,
    /// Name of the horizontal axis.
    pub(in crate::report) across: String,
    /// Name of the vertical axis.
    pub(in crate::report) up: String,
    /// Words for 0 to 4 on the horizontal axis.
    pub(in crate::report) steps: Vec<String>,
    /// Upper left, upper right, lower left, lower right.
    pub(in crate::report) corners: [String; 4],
}

/// The mark of one model.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Mark {
    /// The model's name.
    pub(in crate::report) label: String,
    /// Where it may be across.
    pub(in crate::report) borrowed: Interval,
    /// Where it may be up.
    pub(in crate::report) substance: Interval,
    /// What stands below the label where the horizontal position was not measured.
    pub(in crate::report) unexamined: Option<String>,
}

const WIDTH: f64 = 226.0;
/// From one line of a step's name to the next.
const LINE: f64 = 8.4;
/// The field inside the axes.
const FIELD: Place = Place { x: 27.0, y: 5.0, width: 194.0, height: 154.0 };
const SMALL: f64 = 7.2;
/// Room for the name of a step.
const STEP: f64 = 43.0;
/// A box of no width would not be seen.
const LEAST: f64 = 5.0;
/// Size of a model's name.
const NAME: f64 = 8.4;
/// Room for a model's name in a line.
const NAME_ROOM: f64 = 88.0;
/// A longer name is cut; the memo has it in full elsewhere.
const NAME_LINES: usize = 2;

/// Draws the quadrant; each box covers everything that is possible of its model.
pub(in crate::report) fn draw_quadrant(words: &QuadrantWords, marks: &[Mark], cut_offs: Option<(f64, f64)>) -> Drawing {
    let below = words.steps.iter().map(|it| wrap(it, SMALL, STEP).len()).max().unwrap_or(1) as f64;
    let height = FIELD.y + FIELD.height + LINE * below + 20.0;
    let mut drawing = Drawing::new("quadrant", WIDTH, height, &words.title, &words.description);
    draw_field(&mut drawing, cut_offs);
    draw_axes(&mut drawing, words);
    for it in marks {
        let is_point = it.borrowed.width() == 0.0 && it.substance.width() == 0.0;
        draw_box(&mut drawing, it.place(), it.unexamined.is_some(), is_point);
    }
    let mut taken = draw_corners(&mut drawing, words);
    // The same mark twice, or a note that every mark has, is read once.
    let mut said: Option<&String> = None;
    for it in marks {
        let note = it.unexamined.as_ref().filter(|it| said != Some(*it));
        taken.push(draw_label(&mut drawing, it, note, &taken));
        said = said.or(it.unexamined.as_ref());
    }
    drawing
}

/// Lines across are the rubric's own cut-offs, so that a place on the chart means what it means in the decision table.
fn draw_field(drawing: &mut Drawing, cut_offs: Option<(f64, f64)>) {
    drawing.fill(FIELD, Paint::Ground);
    for step in 1..4 {
        let x = across(f64::from(step));
        drawing.line((x, FIELD.y), (x, FIELD.y + FIELD.height), Paint::Grid);
    }
    for value in cut_offs.into_iter().flat_map(|(low, high)| [low, high]) {
        drawing.line((FIELD.x, up(value)), (FIELD.x + FIELD.width, up(value)), Paint::Frame);
    }
}

fn draw_axes(drawing: &mut Drawing, words: &QuadrantWords) {
    let bottom = FIELD.y + FIELD.height;
    for (step, word) in words.steps.iter().enumerate() {
        let x = across(step as f64);
        drawing.line((x, bottom), (x, bottom + 3.0), Paint::Frame);
        let lines = wrap(word, SMALL, STEP);
        let widest = lines.iter().map(|it| text_width(it, SMALL)).fold(0.0, f64::max);
        let middle = x.clamp(widest / 2.0, WIDTH - widest / 2.0);
        for (idx, line) in lines.iter().enumerate() {
            drawing.text((middle, bottom + 10.5 + LINE * idx as f64), line, "middle", SMALL, Paint::Ink);
        }
    }
    for step in 0..=4 {
        drawing.text((FIELD.x - 5.0, up(f64::from(step)) + 2.6), step.to_string(), "end", SMALL, Paint::Ink);
    }
    drawing.strong(
        (FIELD.x + FIELD.width / 2.0, drawing.height - 3.5),
        format!("{} →", words.across),
        "middle",
        8.0,
        Paint::Ink,
    );
    drawing.turned((9.0, FIELD.y + FIELD.height / 2.0), format!("{} →", words.up), 8.0, Paint::Ink);
}

fn draw_box(drawing: &mut Drawing, possible: Place, is_open: bool, is_point: bool) {
    if is_point {
        let (x, y) = (possible.x + possible.width / 2.0, possible.y + possible.height / 2.0);
        drawing.diamond(x, y, 5.0, Paint::Measured);
        return;
    }
    drawing.fill(possible, Paint::Uncertain);
    if is_open {
        // The vertical edges stand for "could be anywhere from here to there", not for a measurement.
        for x in [possible.x, possible.x + possible.width] {
            drawing.line((x, possible.y), (x, possible.y + possible.height), Paint::Open);
        }
    }
}

fn draw_corners(drawing: &mut Drawing, words: &QuadrantWords) -> Vec<Place> {
    let mut taken = Vec::new();
    for (idx, corner) in words.corners.iter().enumerate() {
        let (is_right, is_low) = (idx % 2 == 1, idx >= 2);
        let lines = wrap(corner, SMALL, FIELD.width / 2.0 - 12.0);
        let height = 9.0 * lines.len() as f64;
        let top = if is_low { FIELD.y + FIELD.height - height - 4.0 } else { FIELD.y + 4.0 };
        let (x, anchor) = if is_right { (FIELD.x + FIELD.width - 5.0, "end") } else { (FIELD.x + 5.0, "start") };
        let width = lines.iter().map(|it| text_width(it, SMALL)).fold(0.0, f64::max);
        let place = Place { x: if is_right { x - width } else { x }, y: top, width, height };
        // An edge of the box may run through a corner.
        drawing.fill(Place { x: place.x - 2.0, width: width + 4.0, ..place }, Paint::Halo);
        for (line_idx, line) in lines.iter().enumerate() {
            drawing.text((x, top + 7.0 + 9.0 * line_idx as f64), line, anchor, SMALL, Paint::Quiet);
        }
        taken.push(place);
    }
    taken
}

/// Puts the label inside the box where it fits, else above, below, or at a side: the first place that is free. Gives
/// the place.
fn draw_label(drawing: &mut Drawing, mark: &Mark, note: Option<&String>, taken: &[Place]) -> Place {
    let possible = mark.place();
    let mut lines: Vec<(String, f64, bool)> = name_lines(&mark.label).into_iter().map(|it| (it, NAME, true)).collect();
    lines.extend(note.iter().flat_map(|it| {
        let room = if possible.width > 90.0 { possible.width - 12.0 } else { 110.0 };
        wrap(it, SMALL, room).into_iter().map(|line| (line, SMALL, false))
    }));
    let width = lines.iter().map(|(text, size, _)| text_width(text, *size) * 1.05).fold(0.0, f64::max);
    let height = 3.0 + lines.iter().map(|(_, size, _)| size + 2.0).sum::<f64>();
    let middle = (possible.x + possible.width / 2.0, possible.y + possible.height / 2.0);
    let candidates = [
        (middle.0 - width / 2.0, middle.1 - height / 2.0, possible.height >= height && possible.width >= width),
        (middle.0 - width / 2.0, possible.y - height - 3.0, true),
        (middle.0 - width / 2.0, possible.y + possible.height + 3.0, true),
        (possible.x + possible.width + 5.0, middle.1 - height / 2.0, true),
        (possible.x - width - 5.0, middle.1 - height / 2.0, true),
    ];
    let fits = |x: f64, y: f64| {
        let place = Place { x, y, width, height };
        place.y >= FIELD.y && place.y + height <= FIELD.y + FIELD.height && !taken.iter().any(|it| it.meets(place))
    };
    let inside = |x: f64| x.clamp(FIELD.x + 3.0, (FIELD.x + FIELD.width - width - 3.0).max(FIELD.x + 3.0));
    let near = candidates.iter().find(|(x, y, may)| *may && fits(inside(*x), *y)).map(|(x, y, _)| (inside(*x), *y));
    let far = || anywhere(middle, width, fits);
    let (left, top) = near.or_else(far).unwrap_or((inside(candidates[0].0), candidates[0].1));
    let (x, mut y) = (left + width / 2.0, top);
    for (text, size, is_strong) in lines {
        y += size + 2.0;
        if is_strong {
            drawing.strong((x, y - 1.0), text, "middle", size, Paint::Ink);
        } else {
            drawing.text((x, y - 1.0), text, "middle", size, Paint::Ink);
        }
    }
    Place { x: left, y: top, width, height }
}

/// A name in at most two lines.
fn name_lines(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = wrap(name, NAME, NAME_ROOM).into_iter().map(|it| shortened(&it)).collect();
    if lines.len() > NAME_LINES {
        lines.truncate(NAME_LINES);
        let last = lines.pop().map(|it| format!("{it}…"));
        lines.extend(last);
    }
    lines
}

/// A line without a place to break, cut to its room.
fn shortened(line: &str) -> String {
    if text_width(line, NAME) <= NAME_ROOM {
        return line.to_owned();
    }
    let mut kept = String::new();
    for it in line.chars() {
        if text_width(&format!("{kept}{it}…"), NAME) > NAME_ROOM {
            break;
        }
        kept.push(it);
    }
    kept + "…"
}

/// The free place of the field that is nearest to the mark.
fn anywhere(middle: (f64, f64), width: f64, fits: impl Fn(f64, f64) -> bool) -> Option<(f64, f64)> {
    const STEPS: u32 = 40;
    let room = (FIELD.width - width - 6.0).max(0.0);
    let places = (0..=STEPS).flat_map(|down| {
        let y = FIELD.y + FIELD.height * f64::from(down) / f64::from(STEPS);
        (0..=8).map(move |along| (FIELD.x + 3.0 + room * f64::from(along) / 8.0, y))
    });
    let far = |(x, y): &(f64, f64)| (x + width / 2.0 - middle.0).powi(2) + (y - middle.1).powi(2);
    places.filter(|(x, y)| fits(*x, *y)).min_by(|one, other| far(one).total_cmp(&far(other)))
}

impl Mark {
    /// The box of everything that is possible, inside the field.
    fn place(&self) -> Place {
        let (left, right) = widen(across(self.borrowed.low), across(self.borrowed.high));
        let (top, bottom) = widen(up(self.substance.high), up(self.substance.low));
        let left = left.clamp(FIELD.x, FIELD.x + FIELD.width - LEAST);
        let right = right.clamp(left + LEAST, FIELD.x + FIELD.width);
        let top = top.clamp(FIELD.y, FIELD.y + FIELD.height - LEAST);
        let bottom = bottom.clamp(top + LEAST, FIELD.y + FIELD.height);
        Place { x: left, y: top, width: right - left, height: bottom - top }
    }
}

fn widen(from: f64, to: f64) -> (f64, f64) {
    let lack = (LEAST - (to - from)).max(0.0) / 2.0;
    (from - lack, to + lack)
}

fn across(value: f64) -> f64 {
    FIELD.x + FIELD.width * value.clamp(0.0, 4.0) / 4.0
}

fn up(value: f64) -> f64 {
    FIELD.y + FIELD.height * (1.0 - value.clamp(0.0, 4.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::check_no_collision;

    fn words(is_chinese: bool) -> QuadrantWords {
        let own = |text: &str| text.to_owned();
        let (steps, corner) = if is_chinese {
            (["无共用", "共用结构", "共用部分部件", "衍生并续训", "直接复制"], "借鉴过渡、走向自研")
        } else {
            (["nothing", "blueprint", "some components", "derived, then trained", "copied"], "borrower on the way")
        };
        QuadrantWords {
            title: own("t"),
            description: own("d"),
            across: own("how much comes from other models"),
            up: own("substance and path"),
            steps: steps.map(own).to_vec(),
            corners: [0; 4].map(|_| own(corner)),
        }
    }

    fn mark(label: &str, borrowed: Interval, substance: Interval) -> Mark {
        let unexamined = Some("horizontal position not examined".to_owned());
        Mark { label: label.to_owned(), borrowed, substance, unexamined }
    }

    #[test]
    fn labels_never_collide_wherever_the_box_is() {
        for (is_chinese, label) in [(false, "01.AI"), (true, "零一万物")] {
            for low in 0..=4 {
                for high in low..=4 {
                    for from in 0..=8 {
                        let tall = Interval::new(f64::from(from) / 2.0, (f64::from(from) / 2.0 + 0.8).min(4.0));
                        let wide = Interval::new(f64::from(low), f64::from(high));
                        let marks = [mark(label, wide, tall)];
                        check_no_collision(&draw_quadrant(&words(is_chinese), &marks, Some((1.5, 2.5))));
                    }
                }
            }
        }
    }

    /// Eight models of one company at one place: each has its name, and no two names lie on each other.
    #[test]
    fn every_model_has_its_own_name() {
        let names = (1..=8).map(|it| format!("Meridian-Legal-{it}B-Instruct"));
        let names: Vec<String> = names.chain(["A".repeat(80)]).collect();
        let here = Interval::new(2.0, 2.4);
        let marks: Vec<Mark> = names.iter().map(|it| mark(it, Interval::new(3.0, 4.0), here)).collect();
        let drawing = draw_quadrant(&words(false), &marks, Some((1.5, 2.5)));
        check_no_collision(&drawing);
        let texts = crate::report::chart::text_places(&drawing).into_iter().map(|it| it.1).collect::<Vec<_>>();
        assert_eq!(texts.iter().filter(|it| it.starts_with("Meridian-Legal")).count(), 8, "{texts:?}");
        assert_eq!(texts.iter().filter(|it| it.starts_with("horizontal position")).count(), 1);
        assert!(texts.iter().any(|it| it.starts_with("AAA") && it.ends_with('…')));
    }
}
