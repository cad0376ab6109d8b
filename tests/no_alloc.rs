//! Nothing allocates inside products and iterations. One test, so that no other thread allocates while it counts.

use convmtx::csr::CsrOperator;
use convmtx::ndarray::Array2;
#[cfg(feature = "fft")]
use convmtx::ndarray::{Array, Array3};
use convmtx::op::{
    Adjoint, BatchOperator, BlockDiagonal, BoxedOperator, Diagonal, Difference, Gradient2d, Identity,
    LinearOperator, Product, Scaled, Sum, VStack, hstack,
};
use convmtx::solve::{Centre, Cg, Cgls, Lsmr, Lsqr, Progress, RichardsonLucy, Tikhonov};
use convmtx::{Boundary, Conv1d, Conv2d, Geometry};
#[cfg(feature = "fft")]
use convmtx::{Conv3d, FilterBank, plan::Engine};
use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(ptr, layout, size) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    work();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

fn products_of(name: &str, op: &dyn LinearOperator<[f64]>) {
    let (m, n) = op.shape();
    let (mut x, mut y, mut scratch) = (vec![1.0; n], vec![1.0; m], vec![0.0; op.scratch_len()]);
    let count = allocations(|| {
        op.forward(&x, &mut y, &mut scratch).unwrap();
        op.adjoint(&y, &mut x, &mut scratch).unwrap();
    });
    assert_eq!(count, 0, "{name}");
}

/// `solve` is told the number of iterations and returns how many it did.
fn iterations_of(name: &str, solve: impl Fn(usize) -> usize) {
    let count = |k| allocations(|| assert_eq!(solve(k), k, "{name}: stopped early"));
    count(1); // whatever is set up once
    assert_eq!(count(7), count(14), "{name}");
}

fn batch_products_of(name: &str, op: &dyn BatchOperator<f64>, cols: usize) {
    let (m, n) = op.shape();
    let (mut x, mut y) = (Array2::from_elem((n, cols), 1.0), Array2::zeros((m, cols)));
    let mut scratch = vec![0.0; op.batch_scratch_len(cols)];
    let count = allocations(|| {
        op.forward_batch(x.view(), y.view_mut(), &mut scratch).unwrap();
        op.adjoint_batch(y.view(), x.view_mut(), &mut scratch).unwrap();
    });
    assert_eq!(count, 0, "{name}, batch of {cols}");
}

/// Convolutions of `n` samples or `n × n` pixels, boundaries folding.
fn convolutions(n: usize) -> Vec<(&'static str, BoxedOperator<'static, f64>)> {
    let one =
        Conv1d::new(&[1.0, 2.0, 4.0, 1.0], n * n, Geometry::same().boundary(Boundary::Symmetric)).unwrap();
    let psf = Array2::from_shape_fn((5, 4), |(i, j)| (i + 2 * j) as f64);
    let two = Conv2d::new(&psf, [n, n], Geometry::full().boundary(Boundary::Antireflective)).unwrap();
    #[cfg(feature = "fft")]
    let (bank, three) = {
        let kernels = Array::from_shape_fn(vec![3, 5], |i| (i[0] + 2 * i[1]) as f64);
        let bank =
            FilterBank::new(kernels.view(), [n * n], Geometry::same().boundary(Boundary::Reflect)).unwrap();
        let kernel = Array3::from_elem((2, 3, 4), 1.0);
        (bank, Conv3d::new(&kernel, [9, n, n / 9], Geometry::same()).unwrap())
    };
    vec![
        ("direct, 1-D", Box::new(one.to_direct().unwrap())),
        ("direct, 2-D", Box::new(two.to_direct().unwrap())),
        ("matrix, 1-D", Box::new(CsrOperator::new(one.to_csr().unwrap()).unwrap())),
        ("matrix, 2-D", Box::new(CsrOperator::new(two.to_csr().unwrap()).unwrap())),
        #[cfg(feature = "fft")]
        ("transforms, 1-D", Box::new(one.plan_with(Engine::Fft).build().unwrap())),
        #[cfg(feature = "fft")]
        ("transforms, 2-D", Box::new(two.plan_with(Engine::Fft).build().unwrap())),
        #[cfg(feature = "fft")]
        ("transforms, channels", Box::new(bank.to_fft().unwrap())),
        #[cfg(feature = "fft")]
        ("transforms, 3-D", Box::new(three.to_fft().unwrap())),
    ]
}

#[test]
fn products_and_iterations_do_not_allocate() {
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one_thread.install(algebra_and_solvers);
    one_thread.install(|| {
        for (name, op) in convolutions(150) {
            products_of(name, &op);
            batch_products_of(name, &op, 1);
            batch_products_of(name, &op, 5);
            let b = vec![1.0; op.shape().0];
            iterations_of(name, |k| {
                let solver = Cgls::new().max_iters(k).tolerance(0.0);
                solver.solve(&op, &b, &mut vec![0.0; op.shape().1]).unwrap().iterations
            });
        }
    });
    // With more threads the pool may allocate for its own queues, but no more for longer signals.
    let two_threads = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    two_threads.install(|| {
        let count = |n: usize, which: usize| {
            let (_, op) = convolutions(n).swap_remove(which);
            let (mut x, mut y) = (vec![1.0; op.shape().1], vec![0.0; op.shape().0]);
            let mut scratch = vec![0.0; op.scratch_len()];
            let mut products = || {
                op.forward(&x, &mut y, &mut scratch).unwrap();
                op.adjoint(&y, &mut x, &mut scratch).unwrap();
            };
            products(); // whatever the pool sets up once
            allocations(products)
        };
        for which in 0..convolutions(9).len() {
            let (small, large) = (count(300, which), count(900, which));
            assert!(large <= small + 8, "{small} allocations for 90 000 samples, {large} for 810 000");
        }
    });
}

fn algebra_and_solvers() {
    assert!(allocations(|| drop(std::hint::black_box(vec![1_u8; 3]))) > 0, "the counter works");

    let (n, d) = (60, Diagonal::new((1..=60_u8).map(f64::from).collect()));
    let l = Difference::second(n);
    let boxed = || -> Vec<BoxedOperator<f64>> {
        vec![Box::new(d.clone()), Box::new(Identity::new(n)), Box::new(Difference::first(n))]
    };
    products_of("diagonal", &d);
    products_of("difference", &l);
    products_of("identity", &Identity::new(n));
    products_of("gradient", &Gradient2d::new(6, 10).unwrap());
    products_of("adjoint", &Adjoint::new(l.clone()));
    products_of("scaled", &Scaled::new(2.0, l.clone()));
    products_of("sum", &Sum::new(d.clone(), Identity::new(n)).unwrap());
    products_of("product", &Product::new(l.clone(), d.clone()).unwrap());
    products_of("stack", &VStack::new(boxed()).unwrap());
    products_of("side by side", &hstack(vec![d.clone(), d.clone()]).unwrap());
    products_of("block diagonal", &BlockDiagonal::new(boxed()).unwrap());

    let a = Sum::new(d.clone(), Product::new::<[f64]>(Adjoint::new(l.clone()), l.clone()).unwrap()).unwrap();
    let b: Vec<f64> = (0..60_u32).map(|i| f64::from(i * 7 % 13)).collect();
    let solution = || vec![0.0; n];
    iterations_of("cgls", |k| {
        let solver = Cgls::new().damping(0.1).max_iters(k).tolerance(0.0);
        solver.solve(&a, &b, &mut solution()).unwrap().iterations
    });
    iterations_of("lsqr", |k| {
        let solver = Lsqr::new().damping(0.1).max_iters(k).atol(0.0).btol(0.0);
        solver.solve(&a, &b, &mut solution()).unwrap().iterations
    });
    iterations_of("lsqr, damped from a start", |k| {
        let solver = Lsqr::new().damping(0.1).max_iters(k).atol(0.0).btol(0.0);
        solver.solve(&a, &b, &mut vec![1.0; n]).unwrap().iterations
    });
    iterations_of("lsqr with variances", |k| {
        let (solver, mut variances) = (Lsqr::new().max_iters(k).atol(0.0).btol(0.0), solution());
        let go_on = |_: &Progress<'_, [f64]>| ControlFlow::Continue(());
        solver.solve_with_variances(&a, &b, &mut solution(), &mut variances, go_on).unwrap().iterations
    });
    for centre in [Centre::Zero, Centre::Start] {
        iterations_of("lsmr, damped from a start", |k| {
            let solver = Lsmr::new().damping(0.1).centre(centre).max_iters(k).atol(0.0).btol(0.0);
            solver.solve(&a, &b, &mut vec![1.0; n]).unwrap().iterations
        });
    }
    let definite = Sum::new(a.clone(), Adjoint::new(a.clone())).unwrap();
    iterations_of("cg", |k| {
        let solver = Cg::new().max_iters(k).rtol(0.0);
        solver.solve(&definite, &b, &mut solution()).unwrap().iterations
    });
    iterations_of("cg with a preconditioner", |k| {
        let solver = Cg::new().max_iters(k).rtol(0.0);
        let go_on = |_: &Progress<'_, [f64]>| ControlFlow::Continue(());
        solver.solve_preconditioned(&definite, &d, &b, &mut solution(), go_on).unwrap().iterations
    });
    iterations_of("tikhonov", |k| {
        let solver = Tikhonov::new(0.1).max_iters(k).tolerance(0.0);
        solver.solve(&a, &l, &b, &mut solution()).unwrap().iterations
    });
    iterations_of("richardson_lucy", |k| {
        let solver = RichardsonLucy::new().background(1.0).clip_data().max_iters(k);
        solver.solve(&d, &b, &mut solution()).unwrap().iterations
    });
}
