//! The report's diagrams as SVG text, for pasting into a page.
//!
//! Colours come from one small palette of literal values; the page's style sheet maps each of them
//! to another for dark screens (`[fill="#..."]`), so a diagram needs no script and no variant.
//! Texts are set in the page's font.

use crate::evaluate::metrics::{Confusion, PrPoint, ReliabilityBin, RocBand, RocPoint};
use anyhow::Result;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// Text and axes; dark in `style.css` must name the same values.
pub const INK: RGBColor = RGBColor(0x1b, 0x25, 0x30);
/// Secondary text.
pub const MUTED: RGBColor = RGBColor(0x66, 0x72, 0x80);
pub const GRID: RGBColor = RGBColor(0xe2, 0xe7, 0xec);
/// First series: validation; also the disease.
pub const BLUE: RGBColor = RGBColor(0x1f, 0x6f, 0xb2);
/// Second series: shifted.
pub const ORANGE: RGBColor = RGBColor(0xc4, 0x5f, 0x16);
/// Third series: photographs of films.
pub const GREEN: RGBColor = RGBColor(0x2b, 0x7d, 0x4f);
pub const GREY: RGBColor = RGBColor(0x8a, 0x95, 0xa1);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Side of a square diagram, in the SVG's own units.
const SIDE: u32 = 420;

/// Draws into an SVG of this size and gives its text, without a name space (HTML knows the element)
/// and with a description for those who cannot see it.
fn svg(size: (u32, u32), description: &str, draw: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area)?;
        area.present()?;
    }
    let inner = text.split_once('>').map_or(text.as_str(), |(_, rest)| rest);
    let description = description.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let (w, h) = size;
    Ok(format!("<svg viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{description}\">{inner}"))
}

fn font(size: u32, colour: RGBColor) -> TextStyle<'static> {
    TextStyle { color: colour.to_backend_color(), ..TextStyle::from(("sans-serif", size).into_font()) }
}

fn centred(size: u32, colour: RGBColor) -> TextStyle<'static> {
    font(size, colour).pos(Pos::new(HPos::Center, VPos::Center))
}

/// Axes with labels; both ranges as given. A `low` diagram has neither grid nor space above and
/// below, and two labels at its side.
fn axes<'a, 'b>(
    area: &'a Area<'b>,
    x: (Range<f64>, &str),
    y: (Range<f64>, &str),
    digits: (usize, usize),
    low: bool,
) -> Result<Chart<'a, 'b>> {
    let space = if low { 0 } else { 12 };
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_top(space)
        .margin_bottom(space)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(x.0, y.0)?;
    let mut mesh = chart.configure_mesh();
    if low {
        mesh.disable_mesh();
    }
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(MUTED)
        .label_style(font(14, MUTED))
        .axis_desc_style(font(15, INK))
        .x_labels(6)
        .y_labels(if low { 2 } else { 6 })
        .x_label_formatter(&|v| format!("{v:.0$}", digits.0))
        .y_label_formatter(&|v| format!("{v:.0$}", digits.1))
        .x_desc(x.1)
        .y_desc(y.1)
        .draw()?;
    Ok(chart)
}

/// The ROC curve with its pointwise interval and the point of score 0.5.
pub fn roc(curve: &[RocPoint], band: &[RocBand], point: Option<(f64, f64)>) -> Result<String> {
    svg((SIDE, SIDE), "ROC curve: sensitivity over the share of false alarms", |area| {
        let mut chart = axes(
            area,
            (0.0..1.0, "1 - specificity (false alarms)"),
            (0.0..1.0, "sensitivity"),
            (1, 1),
            false,
        )?;
        let outline: Vec<(f64, f64)> =
            band.iter().map(|b| (b.fpr, b.high)).chain(band.iter().rev().map(|b| (b.fpr, b.low))).collect();
        if !outline.is_empty() {
            chart.draw_series([Polygon::new(outline, BLUE.mix(0.18))])?;
        }
        chart.draw_series(DashedLineSeries::new([(0.0, 0.0), (1.0, 1.0)], 4, 4, MUTED.stroke_width(1)))?;
        chart.draw_series(LineSeries::new(curve.iter().map(|p| (p.fpr, p.tpr)), BLUE.stroke_width(2)))?;
        if let Some(point) = point {
            chart.draw_series([Circle::new(point, 5, ORANGE.filled())])?;
        }
        Ok(())
    })
}

/// The precision-recall curve as steps, and the share of positives as a dashed line (what guessing
/// gives).
pub fn precision_recall(curve: &[PrPoint], share_positive: f64) -> Result<String> {
    svg((SIDE, SIDE), "Precision over recall", |area| {
        let mut chart =
            axes(area, (0.0..1.0, "recall (sensitivity)"), (0.0..1.0, "precision"), (1, 1), false)?;
        let guess = [(0.0, share_positive), (1.0, share_positive)];
        chart.draw_series(DashedLineSeries::new(guess, 4, 4, MUTED.stroke_width(1)))?;
        let mut steps = Vec::with_capacity(2 * curve.len());
        let mut recall = 0.0;
        for p in curve {
            steps.push((recall, p.precision));
            steps.push((p.recall, p.precision));
            recall = p.recall;
        }
        chart.draw_series(LineSeries::new(steps, BLUE.stroke_width(2)))?;
        Ok(())
    })
}

/// Reliability diagram over a histogram of the scores.
pub fn reliability(bins: &[ReliabilityBin]) -> Result<String> {
    svg((SIDE, 520), "Share of disease over mean score in 15 bins, and a histogram of the scores", |area| {
        let (above, below) = area.split_vertically(390);
        let mut chart =
            axes(&above, (0.0..1.0, "mean score"), (0.0..1.0, "share with disease"), (1, 1), false)?;
        chart.draw_series(DashedLineSeries::new([(0.0, 0.0), (1.0, 1.0)], 4, 4, MUTED.stroke_width(1)))?;
        let points: Vec<(f64, f64)> =
            bins.iter().filter_map(|b| Some((b.mean_score?, b.share_positive?))).collect();
        chart.draw_series(LineSeries::new(points.iter().copied(), BLUE.stroke_width(2)))?;
        chart.draw_series(points.iter().map(|&p| Circle::new(p, 4, BLUE.filled())))?;

        let most = bins.iter().map(|b| b.count).max().unwrap_or(0).max(1) as f64;
        let mut histogram = axes(&below, (0.0..1.0, "score"), (0.0..most * 1.05, "pictures"), (1, 0), true)?;
        histogram.draw_series(bins.iter().map(|b| {
            let gap = 0.004;
            Rectangle::new([(b.from + gap, 0.0), (b.to - gap, b.count as f64)], BLUE.mix(0.55).filled())
        }))?;
        Ok(())
    })
}

/// The confusion matrix; a cell's shade is its share of the true class.
pub fn confusion(c: &Confusion, names: (&str, &str)) -> Result<String> {
    let description = format!(
        "Confusion matrix: {} true positive, {} false negative, {} false positive, {} true negative",
        c.true_positive, c.false_negative, c.false_positive, c.true_negative
    );
    svg((SIDE, 334), &description, |area| {
        let (left, top, cell) = (104, 64, (152, 130));
        let rows = [
            (names.0, [c.true_negative, c.false_positive], 0),
            (names.1, [c.false_negative, c.true_positive], 1),
        ];
        area.draw(&Text::new("called at score 0.5", (left + cell.0, 18), centred(15, INK)))?;
        for (column, name) in [names.0, names.1].into_iter().enumerate() {
            let x = left + cell.0 * column as i32 + cell.0 / 2;
            area.draw(&Text::new(name.to_owned(), (x, 48), centred(14, MUTED)))?;
        }
        for (row, (name, counts, right)) in rows.into_iter().enumerate() {
            let total = counts.iter().sum::<u64>().max(1) as f64;
            let y = top + cell.1 * row as i32;
            for (text, down, colour) in [("truly", -18, INK), (name, 2, MUTED)] {
                let style = font(14, colour).pos(Pos::new(HPos::Right, VPos::Center));
                area.draw(&Text::new(text.to_owned(), (left - 12, y + cell.1 / 2 + down), style))?;
            }
            for (column, count) in counts.into_iter().enumerate() {
                let x = left + cell.0 * column as i32;
                let share = count as f64 / total;
                let colour = if column == right { BLUE } else { ORANGE };
                let corners = [(x + 2, y + 2), (x + cell.0 - 2, y + cell.1 - 2)];
                area.draw(&Rectangle::new(corners, colour.mix(0.06 + 0.5 * share).filled()))?;
                let (cx, cy) = (x + cell.0 / 2, y + cell.1 / 2);
                area.draw(&Text::new(count.to_string(), (cx, cy - 10), centred(28, INK)))?;
                let percent = format!("{:.1} %", 100.0 * share);
                area.draw(&Text::new(percent, (cx, cy + 20), centred(14, INK)))?;
            }
        }
        Ok(())
    })
}

/// One line of a diagram over epochs, one value an epoch; breaks where a value is missing.
pub type Series = (RGBColor, Vec<Option<f64>>);

/// Lines over epochs; `border` is the number of epochs before quantization-aware training starts.
pub fn epochs(title: &str, series: &[Series], border: Option<usize>, least_zero: bool) -> Result<String> {
    let finite = || series.iter().flat_map(|(_, values)| values.iter().flatten()).filter(|v| v.is_finite());
    let low = finite().copied().fold(f64::INFINITY, f64::min);
    let high = finite().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let pad = ((high - low) * 0.08).max(1e-3);
    let range = if least_zero { 0.0..high + pad } else { (low - pad).max(0.0)..(high + pad).min(1.0) };
    let last = series.iter().map(|(_, values)| values.len()).max().unwrap_or(1).max(2) as f64;
    svg((380, 290), &format!("{title} over epochs"), |area| {
        let mut chart = axes(area, (1.0..last, "epoch"), (range.clone(), title), (0, 2), false)?;
        if let Some(border) = border {
            let x = border as f64 + 0.5;
            let line = [(x, range.start), (x, range.end)];
            chart.draw_series(DashedLineSeries::new(line, 3, 4, MUTED.stroke_width(1)))?;
        }
        for (colour, values) in series {
            let numbered: Vec<(f64, Option<f64>)> =
                values.iter().enumerate().map(|(i, v)| (i as f64 + 1.0, *v)).collect();
            for run in numbered.split(|(_, v)| v.is_none()) {
                let points: Vec<(f64, f64)> = run.iter().filter_map(|(x, v)| Some((*x, (*v)?))).collect();
                match points[..] {
                    [only] => drop(chart.draw_series([Circle::new(only, 3, colour.filled())])?),
                    _ => drop(chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?),
                }
            }
        }
        Ok(())
    })
}
