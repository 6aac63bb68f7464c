//! Several claims tested at once.

/// Logarithms of e-values, adjusted so that all may be read together: the chance that any true claim ever gets an
/// adjusted e-value of 20 or more is at most 1/20, however the claims depend on each other.
///
/// Closed testing with the mean as the merging function: Vovk and Wang, "E-values: calibration, combination and
/// applications", Annals of Statistics 49 (2021), 1736-1754, algorithm 1. A claim's adjusted e-value is the least
/// mean over all sets of claims that hold it; the worst set of each size holds the smallest others. It rejects
/// whatever Holm's procedure on `1 / e` would, and more. Means of fair wealths are fair wealths, so it holds at
/// any time too.
pub fn adjusted(log_e: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..log_e.len()).collect();
    order.sort_by(|i, j| log_e[*i].total_cmp(&log_e[*j]));
    let mut adjusted = vec![0.0; log_e.len()];
    for (rank, claim) in order.iter().enumerate() {
        let own = log_e[*claim];
        // Everything is divided by the own e-value, so that nothing overflows; the others are not larger.
        let (mut sum, mut least) = (1.0, 1.0f64);
        for (size, other) in order[..rank].iter().enumerate() {
            sum += (log_e[*other] - own).exp();
            least = least.min(sum / (size + 2) as f64);
        }
        adjusted[*claim] = own + least.ln();
    }
    adjusted
}
