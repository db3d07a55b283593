//! QLinearConv of every form inside tract: the kernels give the bytes that ONNX defines and that
//! tract's own operator gives, and what they do not cover is tract's, with a reason.

mod graphs;

use edge_core::kernels::{ALL, Kernels, Set};
use edge_model::engine::{Convolutions, Fallback};
use edge_model::infer_tract::Operators;
use graphs::{Case, Padding, Signed, model_of, reference};
use proptest::prelude::*;
use test_support::intermediates::{Intermediate, TractIntermediates, Values};
use test_support::model::{Graph, tensor_mut};
use tract_onnx::pb::ModelProto;

fn sets() -> impl Iterator<Item = Kernels> {
    ALL.iter().filter_map(Set::kernels)
}

fn bytes(results: &[Intermediate]) -> Vec<u8> {
    match &results.iter().find(|result| result.name == "y").unwrap().values {
        Values::U8(values) => values.clone(),
        Values::I8(values) => values.iter().map(|&value| value as u8).collect(),
        other => panic!("y is {other:?}"),
    }
}

/// The side of a square image, in pixels.
fn side(image: &[u8]) -> u16 {
    image.len().isqrt() as u16
}

/// The bytes of `y` from tract's own operators; none where tract cannot make the model ready.
fn stock(model: &ModelProto, image: &[u8]) -> Option<Vec<u8>> {
    let mut tract = TractIntermediates::of_graph(Operators::Stock, model, side(image)).ok()?;
    assert_eq!(tract.convolutions(), None);
    Some(bytes(&tract.run(image).unwrap()))
}

/// The bytes of `y` with some kernels, and who computes it.
fn with_kernels(kernels: Kernels, model: &ModelProto, image: &[u8]) -> (Vec<u8>, Convolutions) {
    let mut tract = TractIntermediates::of_graph(Operators::Kernels(kernels), model, side(image)).unwrap();
    let convolutions = tract.convolutions().unwrap().clone();
    assert_eq!(convolutions.kernels, kernels.name());
    (bytes(&tract.run(image).unwrap()), convolutions)
}

/// Any form; `family` steers towards one of edge-core's operators.
fn case(family: usize) -> impl Strategy<Value = Case> {
    let channels = match family {
        0 => (Just(1), 1..=37i64, 1..=37i64).boxed(),
        1 => (Just(1), Just(1), 1..=20i64).boxed(),
        2 => (1..=37i64, Just(1), Just(1)).boxed(),
        _ => (1..=4i64, 1..=7i64, 1..=7i64).boxed(),
    };
    let pair = |most: i64| prop::array::uniform2(1..=most);
    let window = match family {
        0 => (Just([1, 1]), Just([1, 1]), Just([1, 1])).boxed(),
        1 => (pair(4), pair(3), Just([1, 1])).boxed(),
        2 => (prop_oneof![Just([3, 3]), pair(5)], pair(3), pair(2)).boxed(),
        // Taller than the kernels hold rows.
        3 => ((15..=18i64, 1..=2i64).prop_map(|(h, w)| [h, w]), pair(2), Just([1, 1])).boxed(),
        _ => (pair(4), pair(3), pair(3)).boxed(),
    };
    let padding = if family == 0 {
        Just(Padding::Pads([0; 4])).boxed()
    } else {
        prop_oneof![
            3 => prop::array::uniform4(0..=3i64).prop_map(Padding::Pads),
            1 => prop::sample::select(vec!["SAME_UPPER", "SAME_LOWER", "VALID"]).prop_map(Padding::Auto),
        ]
        .boxed()
    };
    let signed = (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(x, w, y)| Signed { x, w, y });
    let numbers = (any::<bool>(), any::<bool>(), any::<u8>(), any::<u8>(), any::<u64>());
    (channels, window, padding, (prop::array::uniform2(0..=7i64), 1..=2i64), signed, numbers).prop_map(
        |(channels, (kernel, stride, dilation), padding, (more, pictures), signed, numbers)| {
            let (groups, channels, outputs) = channels;
            let (per_channel, bias, x_zero, y_zero, seed) = numbers;
            let padded = match padding {
                Padding::Pads([top, left, bottom, right]) => [top + bottom, left + right],
                Padding::Auto(_) => [0, 0],
            };
            // The window just fits in, or some rows and columns more.
            let size = [0, 1]
                .map(|axis| ((kernel[axis] - 1) * dilation[axis] + 1 - padded[axis]).max(1) + more[axis]);
            Case {
                pictures,
                groups,
                channels,
                outputs,
                size,
                kernel,
                stride,
                dilation,
                padding,
                signed,
                per_channel,
                bias,
                x_zero,
                y_zero,
                seed,
            }
        },
    )
}

/// tract 0.23.9 fails where a stride skips whole rows or columns of a value that was reshaped:
/// "Pulling Downsample over AddAxis".
fn stock_fails(case: &Case) -> bool {
    let skips = |axis: usize| case.kernel[axis] == 1 || case.dilation[axis] % case.stride[axis] == 0;
    (0..2).any(|axis| case.stride[axis] > 1 && skips(axis))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_kernels_give_the_bytes_of_onnx_and_of_stock_tract(case in (0..5usize).prop_flat_map(case)) {
        let (graph, image) = (case.graph(), case.image());
        let expected = reference(&case, &graph, &image);
        let model = model_of(graph.graph, case.side());
        match stock(&model, &image) {
            Some(y) => prop_assert_eq!(&y, &expected, "stock tract"),
            None => prop_assert!(stock_fails(&case), "stock tract cannot load it"),
        }
        for kernels in sets() {
            let (y, convolutions) = with_kernels(kernels, &model, &image);
            prop_assert_eq!(&y, &expected, "{:?}", kernels);
            prop_assert_eq!(convolutions.by_kernels, ["y"]);
            prop_assert_eq!(convolutions.by_tract, []);
        }
    }
}

/// A form that is covered until a test spoils it.
fn plain() -> Case {
    Case {
        pictures: 1,
        groups: 1,
        channels: 3,
        outputs: 4,
        size: [6, 6],
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        padding: Padding::Pads([1; 4]),
        signed: Signed { x: false, w: true, y: false },
        per_channel: true,
        bias: true,
        x_zero: 3,
        y_zero: 7,
        seed: 1,
    }
}

/// What the kernels do not cover: tract's own bytes, and the reason.
fn assert_falls_back(model: &ModelProto, image: &[u8], reason: &str) {
    let expected = stock(model, image).expect("stock tract computes it");
    let (y, convolutions) = with_kernels(Kernels::SCALAR, model, image);
    let fallback = Fallback { node: "y".to_owned(), reason: reason.to_owned() };
    assert_eq!((convolutions.by_kernels.len(), &*convolutions.by_tract), (0, &[fallback][..]));
    assert_eq!(y, expected, "{reason}");
    assert_eq!(convolutions.to_string(), format!("0 of 1 by kernels `scalar`, 1 by tract: `y` ({reason})"));
}

fn assert_spoiled(case: &Case, spoil: impl FnOnce(&mut Graph), reason: &str) {
    let mut graph = case.graph();
    spoil(&mut graph);
    assert_falls_back(&model_of(graph.graph, case.side()), &case.image(), reason);
}

#[test]
fn numbers_that_the_kernels_do_not_cover_are_computed_by_tract() {
    let case = plain();
    let set = |name: &'static str, at: usize, value: u8| {
        move |graph: &mut Graph| tensor_mut(&mut graph.graph, name).raw_data[at] = value
    };
    assert_spoiled(&case, set("w", 5, 0x80), "a weight is -128");
    assert_spoiled(&case, set("w_zero", 0, 1), "w_zero_point is not 0");
    assert_spoiled(
        &case,
        |graph| tensor_mut(&mut graph.graph, "bias").raw_data[..4].copy_from_slice(&i32::MAX.to_le_bytes()),
        "an accumulator may leave 32 bits",
    );
    assert_spoiled(
        &case,
        |graph| tensor_mut(&mut graph.graph, "x_scale").raw_data = 65536f32.to_le_bytes().to_vec(),
        "an accumulator may be too many steps of the output",
    );
    let unsigned = Case { signed: Signed { x: true, w: false, y: true }, ..plain() };
    assert_spoiled(&unsigned, set("w", 5, 0), "a weight is 0");
    assert_spoiled(&unsigned, set("w_zero", 0, 127), "w_zero_point is not 128");
}

#[test]
fn weights_that_are_computed_are_convolved_by_tract() {
    let case = Case { per_channel: false, ..plain() };
    assert_spoiled(&case, graphs::weights_from_the_image, "weights is not constant");
}

#[test]
fn a_batch_of_unknown_size_is_convolved_by_tract() {
    let case = Case { channels: 1, size: [8, 8], ..plain() };
    let mut graph = case.graph();
    graphs::take_the_image_itself(&mut graph);
    let mut model = model_of(graph.graph, case.side());
    graphs::set_unknown_batch(&mut model);
    assert_falls_back(&model, &case.image(), "the size of its input is not fixed");
}

#[test]
fn a_convolution_along_one_axis_is_computed_by_tract() {
    let case = Case { channels: 1, outputs: 4, ..plain() };
    assert_spoiled(&case, graphs::along_one_axis, "it has other than two spatial axes");
}

/// Four nodes in floats and one addition of bytes are the same for every pair of bytes, scale and
/// zero point.
#[test]
fn residual_sums_equal_the_float_chain_on_every_pair_of_bytes() {
    for (scale, zero) in [(0.023_5, 0), (1.0 / 3.0, 128), (7e-5, 255), (123.4, 17)] {
        let model = graphs::sum_of_all_pairs(scale, zero);
        let image: Vec<u8> = (0..=255).collect();
        let expected: Vec<u8> =
            (0..1 << 16).map(|i: i32| (i % 256 + i / 256 - i32::from(zero)).clamp(0, 255) as u8).collect();
        assert_eq!(stock(&model, &image), Some(expected.clone()), "{scale}");
        for kernels in sets() {
            assert_eq!(with_kernels(kernels, &model, &image).0, expected, "{kernels:?}, {scale}");
        }
    }
}

/// The comparison bites: a weight off by one step is seen.
#[test]
fn a_planted_fault_is_seen() {
    let case = plain();
    let (mut graph, image) = (case.graph(), case.image());
    let expected = reference(&case, &graph, &image);
    // Large enough a step to show after rounding.
    let weight = &mut tensor_mut(&mut graph.graph, "w").raw_data[40];
    *weight = if *weight > 127 { 100 } else { -100i8 as u8 };
    let (y, _) = with_kernels(Kernels::SCALAR, &model_of(graph.graph, case.side()), &image);
    assert_ne!(y, expected);
}
