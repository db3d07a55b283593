//! What the pages say follows from the status that they are about.

use crate::pages::{fresh, shows, until};
use crate::support::{Screen, Site, camera};
use edge_core::State;
use edge_core::decide::Thresholds;
use status::{Figure, Status};
use texts::{Language, fixed};

/// An attribute of the first element of a page that begins like this.
fn attribute<'p>(page: &'p str, element: &str, name: &str) -> &'p str {
    let tag = page.split_once(&format!("<{element}")).and_then(|(_, rest)| rest.split('>').next());
    let value = tag.and_then(|tag| tag.split_once(&format!(" {name}=\"")));
    value.and_then(|(_, value)| value.split('"').next()).unwrap_or_else(|| panic!("{element} {name}: {page}"))
}

fn number(page: &str, element: &str, name: &str) -> f64 {
    attribute(page, element, name).parse().unwrap()
}

/// Where a bar begins and ends.
fn span(page: &str, element: &str) -> [f64; 2] {
    let from = number(page, element, "x");
    [from, from + number(page, element, "width")]
}

/// What stands between an element's tags.
fn inside<'p>(page: &'p str, element: &str) -> Vec<&'p str> {
    let begins = format!("<{element}");
    let parts = page.split(&begins).skip(1);
    parts.filter_map(|part| part.split_once('>')?.1.split('<').next()).collect()
}

/// Places have one digit after the point.
fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 0.11
}

/// As it stands in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn of(score: f32, negative_below: f32, positive_above: f32) -> Status {
    let thresholds = Thresholds { negative_below, positive_above };
    Status { score: Some(score), thresholds, ..camera(State::Refer) }
}

#[test]
fn score_and_both_thresholds_are_on_the_scale_where_their_figures_put_them() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    for (language, score, low, high) in [
        (Language::English, 0.48, 0.21, 0.74),
        (Language::English, 0.74, 0.21, 0.48),
        (Language::French, 0.95, 0.1, 0.9),
        (Language::Swahili, 0.0, 0.33, 0.34),
        (Language::Spanish, 1.0, 0.05, 0.5),
        (Language::Portuguese, 0.3, 0.0, 1.0),
    ] {
        client.get(&format!("/language/{language}?back=/"));
        let [told, told_low, told_high] = [score, low, high].map(|share| fixed(f64::from(share), 2));
        let told =
            language.text_with("score-told", &[("score", told), ("low", told_low), ("high", told_high)]);
        let status = of(score, low, high);
        let page = until(|| fresh(&site, &status, &client, "/"), |page| page.text().contains(&told));
        let text = page.text();
        assert_eq!(attribute(&text, "svg class=\"scale\"", "aria-label"), told);
        let bars = ["below", "between", "above"].map(|name| span(&text, &format!("rect class=\"{name}\"")));
        let [from, to] = [bars[0][0], bars[2][1]];
        let at = |share: f32| from + f64::from(share) * (to - from);
        let expected = [[from, at(low)], [at(low), at(high)], [at(high), to]];
        let meet = bars.as_flattened().iter().zip(expected.as_flattened()).all(|(a, b)| near(*a, *b));
        assert!(meet && to - from > 200.0, "{bars:?} instead of {expected:?}");
        // The point of the mark, and the number over it.
        let mark = attribute(&text, "path class=\"mark\"", "d").strip_prefix('M').unwrap();
        let mark: f64 = mark.split(' ').next().unwrap().parse().unwrap();
        assert!(near(mark, at(score)), "{mark} instead of {}", at(score));
        assert!((number(&text, "text class=\"value\"", "x") - mark).abs() < 10.2, "{text}");
        let written = |share: f32| language.number(share.into(), 2);
        assert_eq!(inside(&text, "text class=\"value\""), [written(score)]);
        assert_eq!(inside(&text, "text class=\"limit\""), [written(low), written(high)]);
        let mut limits = [0, 1].map(|n| text.split("<text class=\"limit\"").nth(n + 1).unwrap());
        limits = limits.map(|limit| limit.split_once(" x=\"").unwrap().1.split('"').next().unwrap());
        let limits = limits.map(|x| x.parse::<f64>().unwrap());
        let away = [(limits[0] - at(low)).abs(), (limits[1] - at(high)).abs()];
        // They stand under their ends, and beside them where they would run into each other.
        assert!(away.iter().all(|away| *away < 17.2) && limits[1] - limits[0] > 33.8, "{away:?} {limits:?}");
        let ends = inside(&text, "text class=\"end\"");
        let states = [State::Negative, State::Positive].map(|state| language.state(state));
        assert!(ends[0].ends_with(&states[0]) && ends[1].starts_with(&states[1]), "{ends:?}");
    }
    let status = Status { score: None, ..of(0.0, 0.21, 0.74) };
    let none = |text: &str| !text.contains("class=\"scale\"");
    let page = until(|| fresh(&site, &status, &client, "/"), |page| none(&page.text()));
    assert!(none(&page.text()) && shows(&page, State::Refer), "{}", page.text());
}

#[test]
fn reason_and_remedy_of_a_state_are_told_in_every_language_and_no_other_s() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    for language in Language::ALL {
        client.get(&format!("/language/{language}?back=/"));
        let told = |state: State| {
            let reason = camera(state).shown.unwrap().reason;
            [language.reason(&reason), language.remedy(&reason).unwrap()].map(|text| escaped(&text))
        };
        for state in State::ALL {
            let status = camera(state);
            let text = until(|| fresh(&site, &status, &client, "/"), |page| shows(page, state)).text();
            let [reason, remedy] = told(state);
            assert_eq!(inside(&text, "p class=\"reason\"")[0], reason, "{language} {state}");
            let live = text.split("<template").next().unwrap();
            assert!(live.contains(&format!(": </span>{remedy}</p>")), "{language} {state}: {remedy}: {text}");
            for other in State::ALL.into_iter().filter(|other| *other != state) {
                let foreign = told(other).into_iter().find(|sentence| text.contains(sentence));
                assert_eq!(foreign, None, "{language} {state}: {text}");
            }
        }
    }
}

/// The figure moved to the other side of a limit.
fn beyond(figure: &Figure, most: bool) -> Option<Figure> {
    let value = match (figure.least, figure.most) {
        (_, Some(limit)) if most => limit * 1.5,
        (Some(limit), _) if !most => limit - limit.abs().mul_add(0.5, 10.0),
        _ => return None,
    };
    Some(Figure { value, ..figure.clone() })
}

#[test]
fn aiming_has_each_figure_of_the_gate_as_a_bar_with_its_limits() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let language = Language::English;
    let good = camera(State::Refer).picture.unwrap().figures;
    let moved = |most| good.iter().map(|figure| beyond(figure, most).unwrap_or(figure.clone())).collect();
    let sets: [Vec<Figure>; 3] = [good.clone(), moved(true), moved(false)];
    let mut passed = 0;
    for (number_of, figures) in (1..).zip(&sets) {
        let mut status = camera(State::Refer);
        let picture = status.picture.as_mut().unwrap();
        (picture.number, picture.figures) = (number_of, figures.clone());
        let new = format!("/picture/{number_of}?");
        let page = until(|| fresh(&site, &status, &client, "/aim"), |page| page.text().contains(&new));
        let text = page.text();
        let rows: Vec<&str> = text.split("<tr ").skip(1).collect();
        assert_eq!(rows.len(), figures.len(), "{text}");
        for (figure, row) in figures.iter().zip(rows) {
            let name = &figure.name;
            assert_eq!(inside(row, "th"), [language.text(&format!("figure-{name}"))]);
            let low = figure.least.is_none_or(|least| figure.value >= least);
            let high = figure.most.is_none_or(|most| figure.value <= most);
            let passes = low && high;
            passed += usize::from(passes);
            let (class, id) = if passes { ("passes", "figure-passes") } else { ("fails", "figure-fails") };
            assert!(row.starts_with(&format!("class=\"{class}\"")), "{row}");
            assert_eq!(inside(row, "td class=\"word\""), [language.text(id)], "{name}");
            // A figure's line is inside the band of what is let through, or on the side that it should be.
            let [whole, band, line] =
                ["all", "good", "value"].map(|part| span(row, &format!("rect class=\"{part}\"")));
            let at = (line[0] + line[1]) / 2.0;
            assert!((whole[0]..whole[1]).contains(&at), "{row}");
            assert_eq!([at >= band[0], at <= band[1]], [low, high], "{name}: {row}");
            for (limit, end, edge) in [(figure.least, band[0], whole[0]), (figure.most, band[1], whole[1])] {
                let apart = (end - edge).abs();
                assert!(if limit.is_some() { apart > 10.0 } else { apart < 0.11 }, "{name}: {row}");
            }
            // With two limits three figures are on one scale.
            if let (Some(least), Some(most)) = (figure.least, figure.most) {
                let share = f64::from((figure.value - least) / (most - least));
                let seen = (at - band[0]) / (band[1] - band[0]);
                assert!((share - seen).abs() < 0.01, "{name}: {seen} instead of {share}: {row}");
            }
        }
    }
    // Of nine figures one fails at first, then those with a limit on that side.
    let limits =
        |side: fn(&Figure) -> Option<f32>| good.iter().filter(|figure| side(figure).is_some()).count();
    let failed = 1 + limits(|figure| figure.most) + 1 + limits(|figure| figure.least);
    assert_eq!(passed, 3 * good.len() - failed);
}

#[test]
fn aiming_tells_figures_in_the_units_of_people() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let status = camera(State::Refer);
    let page = until(|| fresh(&site, &status, &client, "/aim"), |page| page.text().contains("<tr "));
    let text = page.text();
    let rows = text.split("<tr ").skip(1);
    let told: Vec<&str> = rows.map(|row| *inside(row, "td").get(1).unwrap()).collect();
    // Thousandths, shares of white's 65,535, thousandths in per cent, and likenesses as they are.
    assert_eq!(told, ["1.20", "46 %", "9 %", "3 %", "1 %", "0.06", "210", "1870", "930"]);
}
