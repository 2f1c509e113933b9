// Empty on purpose: this module only carries pkg-config's flags. CAVShim includes the headers.
