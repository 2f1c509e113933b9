import Providers
import Transfer

/// Makes of the settings what recognises, answers and generates. One file for each capability.
struct ServiceProviders: Sendable {
    let settings: WorkerConfiguration.Providers
    let client: HTTPClient
}

extension JobServices {
    var providers: ServiceProviders { ServiceProviders(settings: configuration.providers, client: client) }
}
