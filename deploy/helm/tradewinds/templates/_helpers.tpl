{{/* The name of everything in a release: the release's, with the chart's unless it says it already. A Job's has 63 characters. */}}
{{- define "tradewinds.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 36 | trimSuffix "-" -}}
{{- end }}

{{/* What selects a release's pods: (dict "root" $ "component" "people"). */}}
{{- define "tradewinds.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "tradewinds.labels" -}}
{{ include "tradewinds.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "tradewinds.claim" -}}
{{ .Values.persistence.existingClaim | default (printf "%s-home" (include "tradewinds.name" .)) }}
{{- end }}

{{/* What every pod of the chart has, and every one lacks: a user, no rights, no token of the cluster. */}}
{{- define "tradewinds.pod" -}}
serviceAccountName: {{ include "tradewinds.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "tradewinds.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  privileged: false
  capabilities: { drop: [ALL] }
{{- end }}

{{/* The settings: all that are no secret, and of the Secret only the named keys: (dict "root" $ "secretKeys" list). */}}
{{- define "tradewinds.settings" -}}
envFrom:
  - configMapRef: { name: {{ include "tradewinds.name" .root }} }
env:
  {{- $keys := .secretKeys }}
  {{- if eq .root.Values.target "postgres" }}
  {{- $keys = append $keys "TRADEWINDS_POSTGRES_PASSWORD" }}
  {{- end }}
  {{- range uniq $keys }}
  - name: {{ . }}
    valueFrom:
      secretKeyRef: { name: {{ $.root.Values.existingSecret }}, key: {{ . }} }
  {{- end }}
{{- end }}

{{/* Whether what is published lies on the volume, where only one node sees it: "yes" or nothing. */}}
{{- define "tradewinds.publishesOnVolume" -}}
{{- if and (eq .Values.target "duckdb") (not (hasPrefix "s3://" (.Values.settings.TRADEWINDS_PUBLISHED_URL | default ""))) -}}
yes
{{- end -}}
{{- end }}

{{/* A Job's spec around one command: (dict "root" $ "component" "schedule" "args" list). */}}
{{- define "tradewinds.job" -}}
backoffLimit: 2
activeDeadlineSeconds: {{ .root.Values.pipeline.activeDeadlineSeconds }}
ttlSecondsAfterFinished: 604800
# Exit 2 is a wrong request and 3 a missing prerequisite: trying again mends neither.
podFailurePolicy:
  rules:
    - action: FailJob
      onExitCodes: { containerName: tradewinds, operator: In, values: [2, 3] }
    - action: Ignore
      onPodConditions: [{ type: DisruptionTarget, status: "True" }]
template:
  metadata:
    labels: {{- include "tradewinds.labels" . | nindent 6 }}
  spec:
    restartPolicy: Never
    terminationGracePeriodSeconds: 60
    {{- include "tradewinds.pod" .root | nindent 4 }}
    {{- with .root.Values.pipeline.nodeSelector }}
    nodeSelector: {{- toYaml . | nindent 6 }}
    {{- end }}
    containers:
      - name: tradewinds
        {{- include "tradewinds.container" .root | nindent 8 }}
        args: {{ prepend .args "tradewinds" | toJson }}
        {{- include "tradewinds.settings" (dict "root" .root "secretKeys" .root.Values.pipeline.secretKeys) | nindent 8 }}
        resources: {{- toYaml .root.Values.pipeline.resources | nindent 10 }}
        volumeMounts:
          - { name: home, mountPath: /data }
          - { name: tmp, mountPath: /tmp }
    volumes:
      - name: home
        persistentVolumeClaim: { claimName: {{ include "tradewinds.claim" .root }} }
      - name: tmp
        emptyDir: {}
{{- end }}
