{{- define "ward.name" -}}
{{- printf "%s" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "ward.selector" -}}
app.kubernetes.io/name: ward
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ward.labels" -}}
{{ include "ward.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "ward.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* "0-3,6" as "0 1 2 3 6 ". */}}
{{- define "ward.numbers" -}}
{{- range $part := splitList "," (toString .) -}}
{{- $ends := splitList "-" (trim $part) -}}
{{- range untilStep (int (first $ends)) (int (add1 (int (last $ends)))) 1 }}{{ . }} {{ end -}}
{{- end -}}
{{- end -}}

{{/* Fails where a partition is nobody's, somebody's twice, or not there. */}}
{{- define "ward.check" -}}
{{- $all := list -}}
{{- range .Values.engines.members -}}
{{- $all = concat $all (splitList " " (trim (include "ward.numbers" .partitions))) -}}
{{- end -}}
{{- range $number := until (int .Values.partitions) -}}
{{- if not (has (toString $number) $all) }}{{ fail (printf "partition %d: no engine has it (engines.members)" $number) }}{{ end -}}
{{- end -}}
{{- if ne (len $all) (int .Values.partitions) }}{{ fail (printf "engines.members: %d partitions, each once; given are %s" (int .Values.partitions) (join ", " $all)) }}{{ end -}}
{{- end -}}

{{/* The environment of every process; what is secret comes from the secret. */}}
{{- define "ward.environment" -}}
envFrom:
  - configMapRef: {name: {{ include "ward.name" . }}}
  - secretRef: {name: {{ .Values.secret }}}
{{- end -}}

{{- define "ward.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false # else WARD_PORT and the like of a service called ward would be settings that nobody knows
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "ward.container" -}}
image: {{ include "ward.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "ward.mounts" -}}
- {name: data, mountPath: /var/lib/ward}
- {name: tmp, mountPath: /tmp}
{{- if .Values.plan }}
- {name: plan, mountPath: /etc/ward, readOnly: true}
{{- end }}
{{- end -}}

{{- define "ward.volumes" -}}
- name: data
  persistentVolumeClaim: {claimName: {{ .Values.persistence.existingClaim | default (include "ward.name" .) }}}
- name: tmp
  emptyDir: {}
{{- if .Values.plan }}
- name: plan
  configMap: {name: {{ include "ward.name" . }}-plan}
{{- end }}
{{- end -}}

{{/* Of who sends: ward takes a file with secrets only if it is its own and nobody else may read it, which a mounted
secret cannot be. */}}
{{- define "ward.channels.init" -}}
initContainers:
  - name: channels
    {{- include "ward.container" . | nindent 4 }}
    command: [install, -m, "600", /secret/channels.toml, /run/ward/channels.toml]
    resources: {{ toYaml .Values.notify.resources | nindent 6 }}
    volumeMounts:
      - {name: channels-secret, mountPath: /secret, readOnly: true}
      - {name: channels, mountPath: /run/ward}
{{- end -}}

{{- define "ward.channels.mount" -}}
- {name: channels, mountPath: /run/ward, readOnly: true}
{{- end -}}

{{- define "ward.channels.volumes" -}}
- name: channels-secret
  secret: {secretName: {{ .Values.channelsSecret }}}
- name: channels
  emptyDir: {medium: Memory}
{{- end -}}

{{- define "ward.channels.env" -}}
- {name: WARD_CHANNELS_FILE, value: /run/ward/channels.toml}
{{- end -}}

{{/* Pods of one role on machines of their own, as far as there are enough. */}}
{{- define "ward.apart" -}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "ward.selector" .root | nindent 14 }}
              app.kubernetes.io/component: {{ .role }}
{{- end -}}
