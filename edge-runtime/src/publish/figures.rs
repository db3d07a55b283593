//! The gate's figures beside their limits, under their names.

use edge_core::gate::{GateThresholds, QualityMetrics};
use status::Figure;

/// All that was measured, in the gate's order; what the network alone can tell is left out where it
/// did not look.
pub fn figures<W>(measured: &QualityMetrics, limits: &GateThresholds<W>) -> Vec<Figure> {
    let stats = &measured.stats;
    let least = |name, value: f32, least: f32| Some(figure(name, value, Some(least), None));
    let most = |name, value: f32, most: f32| Some(figure(name, value, None, Some(most)));
    let brightness =
        figure("brightness", stats.mean.into(), Some(limits.min_mean.into()), Some(limits.max_mean.into()));
    let looked = |name, value: Option<i32>, limit: i32| least(name, value? as f32, limit as f32);
    [
        most("elongation", measured.elongation_permille as f32, limits.max_elongation_permille as f32),
        least("contrast", stats.deviation.into(), limits.min_deviation.into()),
        Some(brightness),
        most("black", stats.black_permille.into(), limits.max_black_permille.into()),
        most("white", stats.white_permille.into(), limits.max_white_permille.into()),
        least("sharpness", measured.sharpness.into(), limits.min_sharpness.into()),
        least("layout", measured.layout as f32, limits.layout.least as f32),
        looked("features", measured.features, limits.features.least),
        looked("familiarity", measured.familiarity, limits.familiar.least),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn figure(name: &str, value: f32, least: Option<f32>, most: Option<f32>) -> Figure {
    Figure { name: name.to_owned(), value, least, most }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::PixelStats;

    /// Where the gate refuses, the figure that it refuses by does not pass, and the other way round.
    #[test]
    fn a_figure_passes_where_the_gate_lets_it_through() {
        let limits = GateThresholds::<&[i8]> {
            min_mean: 10,
            max_mean: 20,
            min_deviation: 5,
            max_elongation_permille: 1500,
            max_black_permille: 100,
            max_white_permille: 200,
            min_sharpness: 30,
            ..GateThresholds::open()
        };
        let stats = PixelStats { mean: 15, deviation: 5, black_permille: 100, white_permille: 200 };
        let fine = QualityMetrics {
            elongation_permille: 1500,
            stats,
            sharpness: 30,
            layout: 0,
            features: Some(0),
            familiarity: Some(0),
        };
        let with = |stats| QualityMetrics { stats, ..fine };
        let cases = [
            (fine, None),
            (QualityMetrics { elongation_permille: 1501, ..fine }, Some("elongation")),
            (with(PixelStats { deviation: 4, ..stats }), Some("contrast")),
            (with(PixelStats { mean: 9, ..stats }), Some("brightness")),
            (with(PixelStats { mean: 21, ..stats }), Some("brightness")),
            (with(PixelStats { black_permille: 101, ..stats }), Some("black")),
            (with(PixelStats { white_permille: 201, ..stats }), Some("white")),
            (QualityMetrics { sharpness: 29, ..fine }, Some("sharpness")),
            (QualityMetrics { layout: -1, ..fine }, Some("layout")),
        ];
        for (measured, expected) in cases {
            let figures = figures(&measured, &limits);
            let failed: Vec<_> = figures.iter().filter(|f| !f.passes()).map(|f| f.name.as_str()).collect();
            assert_eq!(failed, expected.into_iter().collect::<Vec<_>>());
            assert_eq!(measured.judge(&limits).is_err(), expected.is_some(), "as the gate");
            assert_eq!(figures.len(), 9);
        }
        let unseen = QualityMetrics { features: None, familiarity: None, ..fine };
        assert_eq!(figures(&unseen, &limits).len(), 7);
    }
}
