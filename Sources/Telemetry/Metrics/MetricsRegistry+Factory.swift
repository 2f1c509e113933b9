public import CoreMetrics

extension MetricsRegistry: MetricsFactory {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        if case .counter(let series)? = series(.counter, MetricName.metric(label), dimensions) { return series }
        return NOOPMetricsHandler.instance
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        if case .counter(let series)? = series(.counter, MetricName.metric(label), dimensions) { return series }
        return NOOPMetricsHandler.instance
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        if case .gauge(let series)? = series(.gauge, MetricName.metric(label), dimensions) { return series }
        return NOOPMetricsHandler.instance
    }

    /// A histogram where the recorder aggregates, else a gauge.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        switch series(aggregate ? .histogram : .gauge, MetricName.metric(label), dimensions) {
        case .histogram(let series)?: return series
        case .gauge(let series)?: return series
        case .counter?, nil: return NOOPMetricsHandler.instance
        }
    }

    /// A histogram in seconds, whatever unit it is to be shown in.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        if case .histogram(let series)? = series(.histogram, MetricName.timer(label), dimensions) { return series }
        return NOOPMetricsHandler.instance
    }

    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}
