//! Blocks of results of a convolution along two axes, rows and columns: what the direct and the separable engine share.
//!
//! [`Reading`] says for one axis and one side which source stands under which tap, [`Plane`] computes results from two of
//! them. Neither knows of kernels' channels or of axes before the rows: the engines sum over these.

mod plane;
mod reading;

pub(crate) use plane::{BAND, Plane, TALL, TOGETHER, even};
pub(crate) use reading::Reading;
