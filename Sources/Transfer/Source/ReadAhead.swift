/// What a reader is likely to want next. A pure state machine: it hears of each read and says what to fetch.
///
/// A reader that goes forward gets more ahead of it the further it has come: the first bytes after a jump are fetched by
/// a small request, as it may jump again, and from some hundred KiB on by whole blocks. Someone who reads in several
/// places in turn, as a demuxer does where sound and pictures lie far apart, is known by coming back.
struct ReadAhead {
    /// Bytes of the first request after a jump.
    static let firstFetch: Int64 = 128 << 10
    /// How much further than it was left a place may be to be the same one, in bytes, either way.
    private static let slack: Int64 = 1 << 20
    private static let placesRemembered = 3
    /// A plan's requests may be small, and it is known that they are needed: so more of them. The sound of a minute of
    /// video is 1,800 pieces, which take the server's delay 1,800 times, divided by this. Two jobs of a client find room
    /// with one host.
    private static let plannedRequests = 24

    /// Where a reader is, and how it got there.
    private struct Place {
        var position: Int64
        /// Bytes that were read in a row.
        var run: Int64 = 0
        /// Whether the reader came back to it from another place.
        var isVisitedAgain = false
    }

    /// What is to be had.
    struct Wishes: Equatable {
        /// Not there and not on its way, most urgent first; none reaches over what is.
        var fetch: [Range<Int64>] = []
        /// What may still be wanted: anything else on its way is for nothing.
        var keep: [Range<Int64>] = []
        /// How many requests there may be at a time.
        var limit: Int
    }

    let length: Int64
    let blockSize: Int64
    /// How many blocks ahead; 0 for none.
    var depth: Int { isScattered ? 0 : mostAhead }
    /// What is to be fetched, and nothing else.
    var plan: RangePlan?
    /// Whether the reader has said that it only looks around.
    var isScattered = false
    private let mostAhead: Int
    /// The one being read first.
    private var places: [Place] = []

    init(length: Int64, options: RangeSourceOptions) {
        self.length = length
        blockSize = Int64(options.blockSize)
        // One block is being read, and the last is kept.
        mostAhead = min(options.prefetch, options.cachedBlocks - 2)
    }

    // MARK: Hearing

    /// A read begins at `offset`.
    mutating func move(to offset: Int64) {
        let near = places.indices.filter { abs(places[$0].position - offset) <= Self.slack }
            .min { abs(places[$0].position - offset) < abs(places[$1].position - offset) }
        guard let near else {
            places.insert(Place(position: offset), at: 0)
            if places.count > Self.placesRemembered { places.removeLast() }
            return
        }
        var place = places.remove(at: near)
        if near > 0 { place.isVisitedAgain = true }
        place.position = offset
        places.insert(place, at: 0)
    }

    /// It got so many bytes.
    mutating func advance(by count: Int) {
        guard !places.isEmpty else { return }
        places[0].position += Int64(count)
        places[0].run += Int64(count)
    }

    // MARK: Saying

    /// - Parameters:
    ///   - count: how many bytes a reader waits for; 0 if it does not wait.
    ///   - cache: what is there and on its way.
    func wishes(waitingFor count: Int, in cache: BlockCache) -> Wishes {
        if let plan { return planned(plan, waitingFor: count, in: cache) }
        var wishes = Wishes(limit: depth + 1)
        for (index, place) in places.enumerated() where index == 0 || place.isVisitedAgain && depth > 0 {
            add(place, waitingFor: index == 0 ? count : 0, cache, to: &wishes)
        }
        return wishes
    }

    private func add(_ place: Place, waitingFor count: Int, _ cache: BlockCache, to wishes: inout Wishes) {
        let ahead = depth == 0 ? 0 : min(4 * place.run, Int64(depth) * blockSize)
        let isSteady = ahead >= blockSize
        let asked = min(Int64(count), blockSize)
        let target = min(length, place.position + max(Self.firstFetch, ahead, asked))
        wishes.keep.append(place.position..<max(target, min(length, boundary(after: place.position))))
        var position = place.position
        while position < target {
            let covered = cache.coveredEnd(from: position)
            guard covered == position else {
                position = covered
                continue
            }
            let boundary = min(length, boundary(after: position))
            let end: Int64
            if position == place.position, depth > 0 || count > 0 {
                end = isSteady ? boundary : rounded(target, boundary: boundary)
            } else if depth == 0 {
                return
            } else if isSteady {
                guard boundary <= target else { return }
                end = boundary
            } else {
                // While there is enough, a request would be too small to be worth it.
                guard position - place.position <= (target - place.position) / 2 else { return }
                end = rounded(target, boundary: boundary)
            }
            let piece = position..<min(end, cache.nextStart(after: position))
            wishes.fetch.append(piece)
            position = piece.upperBound
        }
    }

    /// The end of the block, or of the one behind it if hardly anything of this one is left.
    private func boundary(after position: Int64) -> Int64 {
        let end = (position / blockSize + 1) * blockSize
        return end - position < Self.firstFetch ? end + blockSize : end
    }

    /// Where a request ends that is to reach `target`: not so that crumbs are left.
    private func rounded(_ target: Int64, boundary: Int64) -> Int64 {
        let quantum = Self.firstFetch
        let end = (target + quantum - 1) / quantum * quantum
        return end + blockSize / 4 > boundary && boundary < length || end + quantum > boundary ? boundary : end
    }

    private func planned(_ plan: RangePlan, waitingFor count: Int, in cache: BlockCache) -> Wishes {
        var wishes = Wishes(limit: Self.plannedRequests)
        guard let place = places.first else { return wishes }
        var index = plan.index(endingAfter: place.position)
        let next = index < plan.requests.count ? plan.requests[index].lowerBound : length
        if place.position < next, count > 0 {
            // Not planned: as little as may do.
            let end = min(next, length, place.position + max(min(Int64(count), blockSize), 16 << 10))
            want(place.position..<end, cache, &wishes)
        }
        var bytes: Int64 = 0
        while index < plan.requests.count, wishes.keep.count < Self.plannedRequests, bytes < 3 * blockSize {
            let request = plan.requests[index].clamped(to: place.position..<max(place.position, length))
            bytes += Int64(request.count)
            if !request.isEmpty { want(request, cache, &wishes) }
            index += 1
        }
        return wishes
    }

    private func want(_ range: Range<Int64>, _ cache: BlockCache, _ wishes: inout Wishes) {
        wishes.keep.append(range)
        var position = range.lowerBound
        while position < range.upperBound {
            let covered = cache.coveredEnd(from: position)
            if covered == position {
                let end = min(range.upperBound, cache.nextStart(after: position))
                wishes.fetch.append(position..<end)
                position = end
            } else {
                position = covered
            }
        }
    }
}
