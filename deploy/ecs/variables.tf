variable "name" {
  description = "What everything is called, and what names begin with."
  type        = string
  default     = "kiln"
}

variable "region" {
  description = "The region of logs and metrics: that of the provider."
  type        = string
}

variable "image" {
  description = "The image, with a tag or digest: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/kiln:0.1.0."
  type        = string
}

variable "psql_image" {
  description = "An image with sh and psql, which asks the queue for its depth."
  type        = string
  default     = "public.ecr.aws/docker/library/postgres:17-alpine"
}

variable "cluster" {
  description = "Name of the ECS cluster."
  type        = string
}

variable "vpc" {
  description = "Id of the VPC that the subnets are in."
  type        = string
}

variable "subnets" {
  description = "Ids of private subnets with a way to Postgres, S3 and the registry."
  type        = list(string)
}

variable "load_balancer" {
  description = "The load balancer before the API: its target group (type ip) and security group. null: none."
  type = object({
    target_group_arn  = string
    security_group_id = string
  })
  default = null
}

variable "bucket" {
  description = "The bucket of media and results: what store:// means."
  type        = string
}

variable "secrets" {
  description = <<-EOT
    ARNs in Secrets Manager. database: the URL of a login with the role kiln_worker. owner: that of the schema's owner, for
    kiln migrate. webhooks: KILN_WEBHOOK_SECRET.
  EOT
  type = object({
    database = string
    owner    = string
    webhooks = string
  })
}

variable "settings" {
  description = "Further settings by name, as in docs/configuration.md."
  type        = map(string)
  default     = {}
}

variable "worker" {
  description = "A worker's size in CPU units (1024 a core) and MiB, its jobs at a time, and how many there are."
  type = object({
    cpu         = optional(number, 4096)
    memory      = optional(number, 8192)
    concurrency = optional(number, 4)
    min         = optional(number, 1)
    max         = optional(number, 10)
  })
  default = {}

  validation {
    # A worker also does the queue's housekeeping, and says how much waits.
    condition     = var.worker.min >= 1 && var.worker.max >= var.worker.min
    error_message = "worker.min is at least 1, and worker.max no less."
  }
}

variable "api_count" {
  description = "How many tasks serve the API."
  type        = number
  default     = 2
}

variable "architecture" {
  description = "X86_64 or ARM64, as the image is."
  type        = string
  default     = "X86_64"
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}
