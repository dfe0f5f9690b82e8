package page

import "html/template"

// icons are drawn for this page on a grid of 24, as lines of width 2; colour and width come from the style sheet. They
// stand beside words and say nothing by themselves, so they are hidden from screen readers.
var icons = map[string]string{
	"lock":     `<rect x="5" y="11" width="14" height="10" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3M12 15v2"/>`,
	"unlock":   `<rect x="5" y="11" width="14" height="10" rx="2"/><path d="M8 11V7a4 4 0 0 1 7.7-1.5M12 15v2"/>`,
	"unsure":   `<circle cx="10.5" cy="10.5" r="7.5"/><path d="m16 16 5 5M8.6 8.9a2 2 0 1 1 3 1.7c-.8.5-1.1.8-1.1 1.5M10.5 14.2v.01"/>`,
	"unknown":  `<circle cx="12" cy="12" r="9"/><path d="M9.6 9.8a2.4 2.4 0 1 1 3.7 2c-.9.6-1.3 1-1.3 1.9M12 16.6v.01"/>`,
	"phone":    `<rect x="7" y="2.5" width="10" height="19" rx="2.5"/><path d="M11 18.5h2"/>`,
	"check":    `<path d="M5 12.5 9.5 17 19 7.5"/>`,
	"good":     `<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.8L16 9.7"/>`,
	"warning":  `<path d="M12 4 21.5 20h-19zM12 10.5v4M12 17.2v.01"/>`,
	"error":    `<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.3M12 16.3v.01"/>`,
	"info":     `<circle cx="12" cy="12" r="9"/><path d="M12 11.3v5M12 7.8v.01"/>`,
	"clock":    `<circle cx="12" cy="12" r="9"/><path d="M12 7v5.2l3.2 1.9"/>`,
	"waiting":  `<circle cx="12" cy="12" r="9" stroke-dasharray="3.5 3.57"/>`,
	"pause":    `<circle cx="12" cy="12" r="9"/><path d="M10 9v6M14 9v6"/>`,
	"calendar": `<rect x="4" y="5" width="16" height="15" rx="2"/><path d="M4 10h16M8 3v4M16 3v4"/>`,
	"key":      `<circle cx="8" cy="15.5" r="4"/><path d="M11 12.5 19.5 4M16 7.5l3 3"/>`,
	"link":     `<path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1-1"/>`,
	"home":     `<path d="m3.5 11.5 8.5-7 8.5 7M6 9.8V20h12V9.8"/>`,
	"settings": `<path d="M4 7h8.5M17.5 7H20M4 17h2.5M11.5 17H20"/><circle cx="15" cy="7" r="2.5"/><circle cx="9" cy="17" r="2.5"/>`,
	"journal":  `<path d="M8.5 6H20M8.5 12H20M8.5 18H20M4.2 6v.01M4.2 12v.01M4.2 18v.01"/>`,
	"next":     `<path d="m9.5 6 6 6-6 6"/>`,
	"back":     `<path d="m14.5 6-6 6 6 6"/>`,
	"plus":     `<path d="M12 5v14M5 12h14"/>`,
	"download": `<path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14"/>`,
	"theme":    `<circle cx="12" cy="12" r="9"/><path fill="currentColor" d="M12 3a9 9 0 0 1 0 18z"/>`,
	"globe":    `<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3.6 3.6 3.6 14.4 0 18-3.6-3.6-3.6-14.4 0-18z"/>`,
	"shield":   `<path d="M12 3l8 3v6c0 4.5-3.4 7.6-8 9-4.6-1.4-8-4.5-8-9V6zM8.8 12.2l2.3 2.3 4.2-4.6"/>`,
	"screen":   `<rect x="3" y="4.5" width="18" height="12" rx="2"/><path d="M8 20.5h8M12 16.5v4"/>`,
	"program":  `<path d="m8 7.5-4.5 4.5L8 16.5M16 7.5l4.5 4.5-4.5 4.5"/>`,
	"services": `<rect x="4" y="4" width="6.5" height="6.5" rx="1.5"/><rect x="13.5" y="4" width="6.5" height="6.5" rx="1.5"/><rect x="4" y="13.5" width="6.5" height="6.5" rx="1.5"/><rect x="13.5" y="13.5" width="6.5" height="6.5" rx="1.5"/>`,
	"leave":    `<path d="M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M19 12H9.5"/>`,
	"moon":     `<path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"/>`,
	"refresh":  `<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4v5h-5"/>`,
}

// icon gives an icon's markup. A name that there is not is a mistake that a test finds.
func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">` + icons[name] + `</svg>`)
}
