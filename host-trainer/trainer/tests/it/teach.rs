//! Teachers: the published network, number by number, and the way from a teacher to its pupil.

use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor, no_grad};
use trainer::teach::efficientnet::{Size, parameters};
use trainer::teach::state_dict;

const SIZES: [Size; 3] = [Size::Lite0, Size::Lite1, Size::Lite2];

/// What the reference says of published weights: the side of the input, the first six of 1000
/// logits, the sum of all, and the number of parameters.
///
/// By the packages efficientnet-lite-pytorch 0.1.0 and torch 1.5.1, in f32 on a CPU:
///
/// ```python
/// m = EfficientNet.from_name('efficientnet-lite0')
/// m.load_state_dict(torch.load('efficientnet-lite0-57934424.pth'))
/// y, x = torch.meshgrid(torch.arange(side), torch.arange(side))
/// grey = (((7*x + 13*y + x*y) % 256) - 128).float() / 32
/// z = m.eval()(grey.expand(1, 3, side, side))[0]
/// ```
const REFERENCE: [(i64, [f64; 6], f64, i64); 3] = [
    (
        160,
        [-0.178_620_93, -1.526_209_35, -2.884_027_72, -0.992_841_6, -1.396_876_69, -2.714_068_65],
        -138.772_247,
        4_652_008,
    ),
    (
        240,
        [0.990_387_86, 0.082_903_23, -3.308_775_43, -2.672_317_98, -0.315_189_42, -1.910_225_87],
        -114.909_95,
        5_416_680,
    ),
    (
        260,
        [0.560_784_88, -0.842_502_95, -2.234_825_85, -1.708_660_13, 0.367_468_06, 1.254_885_67],
        -111.159_866,
        6_092_072,
    ),
];

/// ImageNet's 1000 logits for the reference's input.
fn imagenet_logits(size: Size, side: i64, published: &BTreeMap<String, Tensor>) -> Tensor {
    let net = size.net(side);
    let copies = published.iter().map(|(name, tensor)| (name.clone(), tensor.copy())).collect();
    let (flat, statistics) = parameters(&net, copies).unwrap();
    let axis = Tensor::arange(side, (Kind::Int64, Device::Cpu));
    let (x, y) = (axis.view([1, -1]), axis.view([-1, 1]));
    let grey = (&x * 7 + &y * 13 + &x * &y).remainder(256) - 128;
    let input = grey.to_kind(Kind::Float).view([1, 1, side, side]) / 32.0;
    let mut last = Tensor::new();
    no_grad(|| {
        let _head = net.forward_observed(&flat, &statistics, &input, false, &mut |_, value| {
            last = value.shallow_clone()
        });
        let features = last.mean_dim([2i64, 3].as_slice(), false, Kind::Float);
        (features.matmul(&published["_fc.weight"].tr()) + &published["_fc.bias"]).view([-1])
    })
}

#[test]
fn the_networks_have_the_published_numbers_of_parameters() {
    for (size, (side, _, _, published)) in SIZES.into_iter().zip(REFERENCE) {
        let net = size.net(side);
        // The published network has two more input channels, and 1000 logits for our one.
        let ours = net.first_parameters(1).size()[0];
        assert_eq!(ours + 2 * 32 * 9 + 999 * (1280 + 1), published, "{size:?}");
        assert_eq!(net.shapes().last(), Some(&((side + 31) / 32, 1280)));
    }
}

#[test]
#[ignore = "needs ImageNet's weights: cargo run -p host-trainer -- teach fetches them"]
fn published_weights_give_the_references_logits() {
    let folder = std::env::var("PNEUMOSCOPE_WEIGHTS").expect("a folder with the three published .pth files");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for (size, (side, first, sum, _)) in SIZES.into_iter().zip(REFERENCE) {
        let name = format!("efficientnet-{}-", format!("{size:?}").to_lowercase());
        let file = files.iter().find(|f| f.to_string_lossy().contains(&name)).unwrap();
        let mut published = state_dict::read(&std::fs::read(file).unwrap()).unwrap();
        let logits = imagenet_logits(size, side, &published);
        let far = |logits: &Tensor| {
            let each = first.iter().zip(0..).map(|(z, i)| (logits.double_value(&[i]) - z).abs());
            each.fold((logits.sum(Kind::Double).double_value(&[]) - sum).abs() / 100.0, f64::max)
        };
        assert!(far(&logits) < 1e-3, "{size:?}: {} off", far(&logits));
        // The comparison bites: two stages' normalisations exchanged.
        let (a, b) = ("_blocks.3._bn0.bias", "_blocks.3._bn1.bias");
        let (first_bias, second_bias) = (published[a].copy(), published[b].copy());
        published.insert(a.into(), second_bias);
        published.insert(b.into(), first_bias);
        let wrong = far(&imagenet_logits(size, side, &published));
        assert!(wrong > 1e-2, "{size:?}: {wrong}");
    }
}
