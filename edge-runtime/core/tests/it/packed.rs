//! The packed model: what the writer wrote is what the view shows and the engine computes, and no
//! bytes make a reader panic.

use edge_core::infer::{Engine, InferError};
use edge_core::kernels::convolution::Convolution;
use edge_core::kernels::depthwise::Depthwise;
use edge_core::kernels::{self, Kernels, RequantParams, Shape, WeightBits, Weights, Window, layout};
use edge_core::packed::plan::{Step, is_sound, plan};
use edge_core::packed::{self, Operator, Packed, PackedError, WriteError};
use proptest::prelude::*;
use test_support::network::{Aligned, Built};

pub fn packed(built: &Built) -> Aligned {
    built.with(|network| {
        let length = packed::packed_len(network).unwrap();
        let mut bytes = Aligned::zeroed(length);
        assert_eq!(packed::write(network, bytes.as_mut()), Ok(length));
        bytes
    })
}

#[test]
fn the_view_shows_what_was_written() {
    let built = Built::new(16, 1);
    let model = Packed::new(packed(&built)).unwrap();
    assert_eq!(model.arena_bytes(), model.plan().unwrap().arena_bytes());
    let model = model.plan().unwrap();
    built.with(|network| {
        assert_eq!(model.layers(), network.layers.len());
        assert_eq!(model.onnx_sha256(), network.onnx_sha256);
        assert_eq!(model.metadata(), Ok(network.metadata));
        for (number, value) in network.values.iter().enumerate() {
            let got = model.value(number).unwrap();
            let written = (value.name, value.shape, value.scale, value.zero);
            assert_eq!((model.name(number).unwrap(), got.shape, got.scale, got.zero), written);
            assert!(got.range().end <= model.arena_bytes());
        }
        assert_eq!(model.head(), Ok(network.head));
        assert!(model.value(network.values.len()).is_err() && model.name(network.values.len()).is_err());
    });
    let operators: Vec<_> = (0..model.layers()).map(|n| model.layer(n).unwrap().operator.name()).collect();
    assert_eq!(
        operators,
        ["single_channel", "depthwise", "pointwise", "convolution", "add", "depthwise", "pointwise"]
    );
    assert_eq!(model.window(1), Ok(Window::square(3, 1, 1)));
    assert!(model.layer(model.layers()).is_err() && model.window(model.layers()).is_err());
    let in_place = model.layer(1).unwrap();
    assert!(matches!(in_place.operator, Operator::Depthwise(_)));
    let place = |value| model.value(value).unwrap().place;
    assert_eq!(place(in_place.input), place(in_place.output), "depthwise in place");
}

#[test]
fn the_engine_computes_what_onnx_defines() {
    for seed in 0..20 {
        let built = Built::new(16, seed);
        let engine = Engine::new(Packed::new(packed(&built)).unwrap(), Kernels::SCALAR);
        let mut arena = vec![0xEE; engine.model().arena_bytes()];
        let input: Vec<u8> = (0..16 * 16).map(|i| (i * (7 + seed as usize)) as u8).collect();
        let (values, expected) = built.compute(&input);
        let clipped = values.iter().skip(1).flatten().filter(|q| [0, 255].contains(*q)).count();
        assert!(clipped * 2 < values.iter().map(Vec::len).sum(), "too much is clipped for this to be a test");
        let mut seen = 0;
        let logit = engine.infer_observed(&mut arena, &input, &mut |layer, bytes| {
            assert_eq!(bytes, values[layer + 1], "seed {seed}, layer {layer}");
            seen += 1;
        });
        assert_eq!(seen, engine.model().plan().unwrap().layers());
        assert_eq!(logit.map(f32::to_bits), Ok(expected.to_bits()));
        // What an arena held before does not matter.
        assert_eq!(engine.infer(&mut arena, &input), Ok(expected));
        assert_eq!(engine.infer(&mut arena, &input[1..]), Err(InferError::Input { expected: 256, got: 255 }));
        let short = arena.len() - 1;
        let arena_error = InferError::Arena { expected: short + 1, got: short };
        assert_eq!(engine.infer(&mut arena[..short], &input), Err(arena_error));
    }
}

/// Weights of 7 bits, with one at their limit, through every set of this machine.
#[test]
fn weights_of_seven_bits_give_the_same_with_every_set() {
    for seed in 0..20 {
        let mut built = Built::new(16, seed).narrow();
        built.weights[2][0] = 63;
        for set in kernels::ALL.iter().filter_map(|set| set.kernels()) {
            let model = Packed::new(packed(&built)).unwrap();
            assert_eq!(model.plan().unwrap().weight_bits(), Ok(WeightBits::Seven));
            let engine = Engine::new(model, set);
            let mut arena = vec![0xEE; engine.model().arena_bytes()];
            let input: Vec<u8> = (0..16 * 16).map(|i| (i * (7 + seed as usize)) as u8).collect();
            let (values, expected) = built.compute(&input);
            let logit = engine.infer_observed(&mut arena, &input, &mut |layer, bytes| {
                assert_eq!(bytes, values[layer + 1], "{}, seed {seed}, layer {layer}", set.name());
            });
            assert_eq!(logit.map(f32::to_bits), Ok(expected.to_bits()), "{}", set.name());
        }
    }
}

/// The flag is the writer's finding, and nobody's word: one weight of 64 clears it, and a file that
/// sets it all the same is refused, as is a flag that nobody knows.
#[test]
fn the_flag_of_seven_bits_is_that_of_the_weights() {
    const FLAGS: usize = 92;
    let mut built = Built::new(16, 1).narrow();
    let bits = |file: Aligned| Packed::new(file).map(|model| model.plan().unwrap().weight_bits().unwrap());
    assert_eq!(bits(packed(&built)), Ok(WeightBits::Seven));
    for (layer, weight) in [(0, 64), (1, -64), (2, 64), (3, -127)] {
        let was = std::mem::replace(&mut built.weights[layer][3], weight);
        let mut file = packed(&built);
        assert_eq!(file.as_ref()[FLAGS], 0);
        assert_eq!(bits(Aligned::copy_of(file.as_ref())), Ok(WeightBits::Eight));
        file.as_mut()[FLAGS] = 1;
        packed::seal(file.as_mut());
        let what = "a weight of more than 7 bits, which the header rules out,";
        assert_eq!(bits(file), Err(PackedError::Layer { layer, what }));
        built.weights[layer][3] = was;
    }
    let mut file = packed(&built);
    file.as_mut()[FLAGS] = 2;
    packed::seal(file.as_mut());
    assert_eq!(bits(file), Err(PackedError::Form { what: "a flag" }));
}

/// The comparison bites: a weight changed after packing, under a right checksum, changes what is
/// computed.
#[test]
fn a_planted_wrong_weight_is_seen() {
    let (built, mut other) = (Built::new(16, 1), Built::new(16, 1));
    other.change_a_weight();
    let engine = Engine::new(Packed::new(packed(&other)).unwrap(), Kernels::SCALAR);
    let input: Vec<u8> = (0..16 * 16).map(|i| (i * 7) as u8).collect();
    let (values, _) = built.compute(&input);
    let mut differs = None;
    let mut arena = vec![0; engine.model().arena_bytes()];
    let mut observe = |layer: usize, bytes: &[u8]| {
        if bytes != values[layer + 1] && differs.is_none() {
            differs = Some(layer);
        }
    };
    engine.infer_observed(&mut arena, &input, &mut observe).unwrap();
    assert_eq!(differs, Some(2), "found at the layer that was changed");
}

#[test]
fn every_kind_of_damage_has_its_name() {
    let good = packed(&Built::new(16, 3));
    let with = |change: &dyn Fn(&mut [u8])| {
        let mut bytes = Aligned::copy_of(good.as_ref());
        change(bytes.as_mut());
        Packed::new(bytes).err()
    };
    let length = good.as_ref().len();
    assert_eq!(with(&|_| ()), None);
    assert_eq!(with(&|b| b[0] = b'x'), Some(PackedError::Magic));
    assert_eq!(with(&|b| b[8] = 9), Some(PackedError::Version { got: 9 }));
    let old = with(&|b| b[8] = 2).unwrap();
    let remedy = "expected a packed model of version 3, got version 2; pack the model again: `edge-runtime --model MODEL.onnx \
         pack MODEL.packed`";
    assert_eq!(old.to_string(), remedy);
    assert!(matches!(with(&|b| b[length / 2] ^= 1), Some(PackedError::Checksum { .. })));
    let cut = Packed::new(Aligned::copy_of(&good.as_ref()[..length - 1])).err();
    assert_eq!(cut, Some(PackedError::Length { expected: length, got: length - 1 }));
    assert!(matches!(Packed::new(Aligned::zeroed(0)).err(), Some(PackedError::Length { .. })));
    let shifted = Aligned::copy_of(&[&[0; 4], good.as_ref()].concat());
    assert_eq!(Packed::new(&shifted.as_ref()[4..]).err(), Some(PackedError::Alignment));
}

#[test]
fn what_breaks_the_exact_form_is_not_packed() {
    let refused = |change: &dyn Fn(&mut Built)| {
        let mut built = Built::new(16, 1);
        change(&mut built);
        built.with(packed::packed_len).err()
    };
    assert_eq!(refused(&|_| ()), None);
    let layer = |error| matches!(error, Some(WriteError::Layer { .. }));
    assert!(layer(refused(&|b| b.weights[0][0] = -128)));
    assert!(layer(refused(&|b| b.biases[0][0] = 1 << 24)));
    assert!(layer(refused(&|b| b.multipliers[0][0] = 1e9)));
    assert!(layer(refused(&|b| b.multipliers[0][0] = f32::NAN)));
    assert!(layer(refused(&|b| b.values[5].2 += 1)));
    assert!(matches!(refused(&|b| b.values.truncate(7)), Some(WriteError::Network { .. })));
    let built = Built::new(16, 1);
    let needed = built.with(packed::packed_len).unwrap();
    let mut short = vec![0; needed - 1];
    let space = WriteError::Space { expected: needed, got: needed - 1 };
    assert_eq!(built.with(|network| packed::write(network, &mut short)), Err(space));
}

/// Rule 8 at its two borders, each where only weights and input decide: 5 weights of 127 over
/// inputs that are up to 165 steps from their zero point reach 104,775.
#[test]
fn the_reach_of_an_accumulator_is_bound_by_writer_and_reader() {
    const REACH: i32 = 5 * 127 * 165;
    let with = |bias: i32, multiplier: f32| {
        let mut built = Built::new(16, 1);
        built.weights[2][..5].fill(127);
        (built.biases[2][0], built.multipliers[2][0]) = (bias, multiplier);
        built
    };
    // 2^22 / 104,775 lies between 40 and 40.1.
    let bias = (1 << 24) - 1 - REACH;
    for (most, beyond) in [(with(0, 40.0), with(0, 40.1)), (with(bias, 0.2), with(bias + 1, 0.2))] {
        assert!(most.with(packed::packed_len).is_ok());
        let error = beyond.with(packed::packed_len);
        assert!(
            matches!(error, Err(WriteError::Layer { layer: 2, what }) if what.contains("rule 8")),
            "{error:?}"
        );
        // The same in a file that the writer would not write: bias, signed bias and multiplier changed.
        let (mut file, record) = (packed(&most), 96 + 8 * 24 + 2 * 56);
        let place = |field: usize| {
            let place = file.as_ref()[record + field..].first_chunk().unwrap();
            u32::from_le_bytes(*place) as usize
        };
        let places = [36, 40, 44].map(place);
        let more = u32::from(beyond.biases[2][0] != most.biases[2][0]);
        for at in places.into_iter().take(2) {
            let number = &mut file.as_mut()[at..][..4];
            let changed = u32::from_le_bytes(number.try_into().unwrap()) + more;
            number.copy_from_slice(&changed.to_le_bytes());
        }
        file.as_mut()[places[2]..][..4].copy_from_slice(&beyond.multipliers[2][0].to_le_bytes());
        packed::seal(file.as_mut());
        let refused = PackedError::Layer { layer: 2, what: "the reach of an accumulator" };
        assert_eq!(Packed::new(file).err(), Some(refused));
    }
}

/// Sizes that wrap on 32 bits: the value of the first would be 98,304 bytes there.
#[test]
fn what_wraps_on_32_bits_is_refused_everywhere() {
    let shape = |height, width, channels| Shape { height, width, channels };
    let of_channels = |count: usize| {
        let padded = count.div_ceil(16) * 16;
        (vec![0i32; padded], vec![0.0f32; padded])
    };
    assert_eq!(shape(26_215, 32_768, 5).checked_bytes(), None);
    assert_eq!(shape(0, 32_768, 5).checked_bytes(), None);
    assert_eq!(shape(128, 128, 24).checked_bytes(), Some(393_216));
    // Scratch memory: rows of 2^31 bytes in all, a window of 2^31 inputs.
    let tall = Window { dilation: [32_767, 1], before: [32_768, 0], ..Window::square(2, 1, 0) };
    assert_eq!(Depthwise::scratch(&shape(8, 8, 65_535), &tall), None);
    let huge = Window::square(32_768, 1, 0);
    assert_eq!(Convolution::fan_in(&shape(32_768, 32_768, 4), &huge, 1), None);
    assert_eq!(Convolution::scratch(&shape(32_768, 32_768, 4), &huge, 1), None);
    // Weights: 65,536 outputs of 65,536 inputs are 0 bytes modulo 2^32.
    assert_eq!(layout::block_bytes(65_536, 65_536), None);
    assert_eq!(layout::tap_bytes(65_536, [16_384, 16]), None);
    let (bias, multiplier) = of_channels(5);
    let numbers = RequantParams::new(5, &bias, &bias, &multiplier, 0).unwrap();
    let taps = vec![0i8; layout::tap_bytes(5, [1, 1]).unwrap()];
    let taps = Weights { values: &taps, bits: WeightBits::Seven };
    assert!(Depthwise::new(shape(26, 32, 5), Window::POINT, taps, numbers, 0).is_ok());
    assert!(Depthwise::new(shape(26_215, 32_768, 5), Window::POINT, taps, numbers, 0).is_err());
    // A packed value of that size, in an arena as large as what is left of it on 32 bits.
    let mut bytes = packed(&Built::new(16, 1));
    let value_1 = 96 + 24;
    for (field, number) in [(0, 26_215u16), (2, 32_768), (4, 5)] {
        bytes.as_mut()[value_1 + field..][..2].copy_from_slice(&number.to_le_bytes());
    }
    bytes.as_mut()[28..32].copy_from_slice(&98_304u32.to_le_bytes());
    packed::seal(bytes.as_mut());
    assert_eq!(Packed::new(bytes).err(), Some(PackedError::Form { what: "the place of a value" }));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 2000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Any change behind the header, with checksums that fit it, gives a model or an error; a model
    /// can be run.
    #[test]
    fn any_bytes_give_a_model_or_an_error(changes in prop::collection::vec((20usize..6000, any::<u8>()), 1..4)) {
        let mut bytes = packed(&Built::new(16, 2));
        let length = bytes.as_ref().len();
        for (at, byte) in changes {
            bytes.as_mut()[20 + at % (length - 20)] = byte;
        }
        packed::seal(bytes.as_mut());
        if let Ok(model) = Packed::new(bytes) {
            let engine = Engine::new(model, Kernels::SCALAR);
            let mut arena = vec![0; engine.model().arena_bytes()];
            let input = vec![9; engine.model().plan().unwrap().value(0).unwrap().shape.bytes()];
            prop_assert!(engine.infer(&mut arena, &input).is_ok());
        }
    }

    /// The planner's places pass the check that is not its own word, and the check refuses an overlap.
    #[test]
    fn plans_are_sound(sizes in prop::collection::vec((1usize..5000, 0usize..900, any::<bool>(), any::<prop::sample::Index>()), 1..30)) {
        let steps: Vec<Step> = sizes
            .iter()
            .enumerate()
            .map(|(i, &(output, scratch, in_place, other))| {
                let inputs = [other.index(i + 1), i];
                Step { inputs, output, scratch, in_place: in_place && inputs[0] != inputs[1] }
            })
            .collect();
        let plan = plan(700, 300, &steps).unwrap();
        let outputs = std::iter::once(700).chain(steps.iter().map(|s| s.output));
        let mut values: Vec<_> = plan.values.iter().copied().zip(outputs).collect();
        let scratch = std::iter::once(300).chain(steps.iter().map(|s| s.scratch));
        let scratch: Vec<_> = plan.scratch.iter().copied().zip(scratch).collect();
        prop_assert!(values.iter().chain(&scratch).all(|(place, size)| place + size <= plan.arena));
        prop_assert!(is_sound(&values, &scratch, &steps));
        // The last value is read by the last layer at least, whose input lies elsewhere or is
        // overwritten in place.
        let last = values.len() - 1;
        if !steps[last - 1].in_place {
            values[last].0 = values[last - 1].0;
            prop_assert!(!is_sound(&values, &scratch, &steps));
        }
    }
}
