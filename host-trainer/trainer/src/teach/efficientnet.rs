//! EfficientNet-Lite 0 to 2 (Tan and Le 2019; "Lite" by Google 2020: no squeeze-excitation, ReLU6,
//! stem and head of one width) as the same kind of data as the small network.

use crate::train::net::{Convention, Net};
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::collections::BTreeMap;
use tch::{Kind, Tensor};

/// Sizes of EfficientNet-Lite, by their published names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Size {
    Lite0,
    Lite1,
    Lite2,
}

/// Channels after the stem and before the head, in every size.
const STEM: i64 = 32;
const HEAD: i64 = 1280;
/// The stages: repeats, kernel, stride of the first block, factor of expansion, channels out.
const STAGES: [[i64; 5]; 7] = [
    [1, 3, 1, 1, 16],
    [2, 3, 2, 6, 24],
    [2, 5, 2, 6, 40],
    [3, 3, 2, 6, 80],
    [3, 5, 1, 6, 112],
    [4, 5, 2, 6, 192],
    [1, 3, 1, 6, 320],
];

impl Size {
    /// Its name in the command line and in a teacher's recipe.
    pub fn name(self) -> String {
        self.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
    }

    /// Channels of a stage: scaled, and rounded to a multiple of 8 that is no more than a tenth
    /// lower.
    fn channels(self, base: i64) -> i64 {
        // Tenths, so that nothing depends on how a product is rounded.
        let tenths = base * if self == Self::Lite2 { 11 } else { 10 };
        let rounded = ((tenths + 40) / 80 * 8).max(8);
        if rounded * 100 < tenths * 9 { rounded + 8 } else { rounded }
    }

    /// Blocks of a stage: scaled and rounded up; the first and the last stage keep theirs.
    fn repeats(self, stage: usize, base: i64) -> i64 {
        let tenths = match self {
            _ if stage == 0 || stage + 1 == STAGES.len() => 10,
            Self::Lite0 => 10,
            Self::Lite1 => 11,
            Self::Lite2 => 12,
        };
        (base * tenths + 9) / 10
    }

    /// The network for grey pictures of `side` pixels. Its convolutions are named and ordered as in
    /// the published weights, see [`parameters`].
    pub fn net(self, side: i64) -> Net {
        let mut net = Net::empty(side, Convention::Same);
        let mut x = net.conv("_conv_stem", 0, [1, STEM, 3, 2, 1], true);
        let (mut cin, mut block) = (STEM, 0);
        for (stage, [repeats, kernel, first_stride, factor, base]) in STAGES.into_iter().enumerate() {
            let cout = self.channels(base);
            for repeat in 0..self.repeats(stage, repeats) {
                let stride = if repeat == 0 { first_stride } else { 1 };
                let (name, wide) = (|part: &str| format!("_blocks.{block}.{part}"), cin * factor);
                let mut y = x;
                if factor > 1 {
                    y = net.conv(&name("_expand_conv"), y, [cin, wide, 1, 1, 1], true);
                }
                y = net.conv(&name("_depthwise_conv"), y, [wide, wide, kernel, stride, wide], true);
                y = net.conv(&name("_project_conv"), y, [wide, cout, 1, 1, 1], false);
                x = if stride == 1 && cin == cout { net.add(x, y) } else { y };
                (cin, block) = (cout, block + 1);
            }
        }
        net.conv("_conv_head", x, [cin, HEAD, 1, 1, 1], true);
        net.features = HEAD;
        net
    }
}

/// Name of the normalisation behind a convolution.
fn normalisation(conv: &str) -> String {
    let (block, part) = conv.rsplit_once('.').map_or((String::new(), conv), |(b, p)| (format!("{b}."), p));
    let number = match part {
        "_conv_stem" | "_expand_conv" => 0,
        "_conv_head" | "_depthwise_conv" => 1,
        _ => 2,
    };
    format!("{block}_bn{number}")
}

/// Flat parameters and flat running statistics of `net` from published weights by name, with a head
/// of one logit that says 0. Every tensor must be there in its shape, and but for the head `_fc`
/// none may be left over. The stem's weights are summed over its three input channels, which is to
/// give all three the same grey picture.
pub fn parameters(net: &Net, mut published: BTreeMap<String, Tensor>) -> Result<(Tensor, Tensor)> {
    let mut take = |name: String, shape: &[i64]| -> Result<Tensor> {
        let found = published.remove(&name).with_context(|| format!("the weights lack `{name}`"))?;
        ensure!(found.size() == shape, "`{name}`: expected the shape {shape:?}, got {:?}", found.size());
        Ok(found)
    };
    let (mut pieces, mut statistics) = (vec![], vec![]);
    for conv in net.convs() {
        let name = format!("{}.weight", conv.name);
        pieces.push(if conv.input == 0 {
            let [cout, _, kernel, _] = conv.weight_shape();
            take(name, &[cout, 3, kernel, kernel])?.sum_dim_intlist([1i64].as_slice(), true, Kind::Float)
        } else {
            take(name, &conv.weight_shape())?
        });
        let normalisation = normalisation(&conv.name);
        for part in ["weight", "bias"] {
            pieces.push(take(format!("{normalisation}.{part}"), &[conv.cout])?);
        }
        for part in ["running_mean", "running_var"] {
            statistics.push(take(format!("{normalisation}.{part}"), &[conv.cout])?);
        }
    }
    published.retain(|name, _| !name.starts_with("_fc.") && !name.ends_with(".num_batches_tracked"));
    ensure!(published.is_empty(), "the weights hold more than this network has: {:?}", published.keys());
    pieces.push(Tensor::zeros([net.features + 1], (Kind::Float, tch::Device::Cpu)));
    let flat =
        |pieces: &[Tensor]| Tensor::cat(&pieces.iter().map(|p| p.reshape([-1])).collect::<Vec<_>>(), 0);
    Ok((flat(&pieces), flat(&statistics)))
}
